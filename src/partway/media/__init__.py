"""What a video's bytes say, and how its segments are made of them: pure functions, no file, socket or process.

Reading, outside in:

    reading     a parser is a generator that asks for bytes; whoever drives it does the I/O
    container   which kind of file is this, and where is its index (``moov``)?
    boxes       ISO base media boxes, read within bounds and written
    movie       the track headers of a ``moov``, tables untouched
    picture     the video's decoder configuration, by way of avc (H.264)
    sound       the sound's: AAC and MP3
    codecs      what codecs are called
    edits       the edit lists that pass through
    tables *    sample tables, checked and then expanded
    track *     tables + edit + grid -> what a segment needs
    silence *   what takes the place of sound that is not there
    facts       what status and playlists tell about a video, by way of bandwidth *
    index       all of these together: ``read_index``

Making:

    grid        where the segments' borders are
    initial     init segments
    segments    a generated head (fragments *), and byte ranges of the source
    playlists   text, a function of index and count
    source      a source as an ordered list of blobs
    still       the few frames that a poster may be made of
    commands    the arguments of ffmpeg and ffprobe, and why each
    probing     what ffprobe's report says

Beside videos:

    webvtt      is this a file of captions or chapters?
    image       which kind of image, and how large

Modules with a * need numpy. The others may be imported at start-up: numpy is loaded when the first index is built.
"""
