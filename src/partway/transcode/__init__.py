"""The only place that starts a program, and what is asked of those programs: ffmpeg and ffprobe, on strangers' bytes.

    wrapper    limits itself and then becomes the program: a script, started by path
    sandbox    limits and layers as values, and the command line they make
    process    starts, feeds, watches, bounds and ends one program
    outcome    how it ended
    folder     private work folders
    layers     which layers this machine has
    programs   which ffmpeg and ffprobe are used
    progress   how far a program says it is
    verdict    what that says about the file it was reading
    source     the bytes that probe and poster read
    probe      what there is to know of a file that ``media.index`` can't read
    poster     one picture of a video

Nothing here knows a store or a table: bytes come from a ``Source``, and results are values.
"""
