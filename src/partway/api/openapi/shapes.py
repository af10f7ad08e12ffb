"""What answers look like, by name: closed shapes, so that an undescribed member is found out."""

from __future__ import annotations

from partway.api.openapi.operation import (
    ADDRESS,
    MOMENT,
    NUMBER,
    TEXT,
    WHOLE,
    YES_OR_NO,
    Schema,
    a_list,
    a_page_of,
    one_of,
    or_null,
    ref,
    shape,
)

_QUALITIES = ("240p", "360p", "480p", "720p", "1080p", "2160p")

_PROBLEM = {
    "type": "object",
    "properties": {
        "type": {**ADDRESS, "description": "An address that ends in the slug, which says which problem it is."},
        "title": TEXT,
        "status": WHOLE,
        "name": {**TEXT, "description": "The attribute, parameter or header it is about."},
        "detail": TEXT,
        "range": shape(min=WHOLE, max=WHOLE),
        "problems": {**a_list(ref("Problem")), "description": "Every one, where there are several."},
    },
    "required": ["type", "title", "status"],
    "additionalProperties": False,
}

_ASSETS = shape(
    ("mp4",),
    iframe={**TEXT, "description": "HTML to put the player into a page."},
    player=ADDRESS,
    hls={**ADDRESS, "description": "The HLS master playlist; 202 with an empty body until it can be played."},
    thumbnail=ADDRESS,
    mp4={**ADDRESS, "description": "Only with mp4Support."},
)

_VIDEO = shape(
    videoId=TEXT,
    title=TEXT,
    description=or_null(TEXT),
    public=YES_OR_NO,
    panoramic=YES_OR_NO,
    mp4Support=YES_OR_NO,
    earlyPlayback={
        **or_null(YES_OR_NO),
        "description": "Beyond the contract: whether it may be watched while it arrives; null: as the server is set.",
    },
    playerId=or_null(TEXT),
    tags=a_list(TEXT),
    metadata=a_list(shape(key=TEXT, value=TEXT)),
    language=or_null(TEXT),
    languageOrigin=or_null(one_of("api", "auto")),
    createdAt=MOMENT,
    publishedAt=or_null(MOMENT),
    updatedAt=MOMENT,
    discarded=YES_OR_NO,
    discardedAt=or_null(MOMENT),
    deletesAt=or_null(MOMENT),
    source=shape(type=TEXT, uri=TEXT),
    assets=or_null(ref("Assets")),
)

_STATUS = shape(
    ingest=or_null(
        shape(
            status=one_of("uploading", "uploaded", "ingesting", "ingested"),
            filesize=or_null(WHOLE),
            receivedBytes=a_list(shape(**{"from": WHOLE, "to": WHOLE, "total": or_null(WHOLE)})),
            receivedParts=shape(parts=a_list(WHOLE), total=or_null(WHOLE)),
        )
    ),
    encoding=shape(
        playable=YES_OR_NO,
        qualities=a_list(
            shape(
                type=one_of("hls", "mp4"),
                quality=one_of(*_QUALITIES),
                status=one_of("waiting", "encoding", "encoded", "failed"),
            )
        ),
        metadata=shape(
            width=or_null(WHOLE),
            height=or_null(WHOLE),
            bitrate=or_null(NUMBER),
            duration=or_null(WHOLE),
            framerate=or_null(WHOLE),
            samplerate=or_null(WHOLE),
            videoCodec=or_null(TEXT),
            audioCodec=or_null(TEXT),
            aspectRatio=or_null(TEXT),
        ),
    ),
    partway={"type": "object", "description": "Beyond the contract: the state, and its reason in a sentence."},
)

_COLOURS = (
    "text",
    "link",
    "linkHover",
    "linkActive",
    "trackPlayed",
    "trackUnplayed",
    "trackBackground",
    "backgroundTop",
    "backgroundBottom",
    "backgroundText",
)

_THEME = shape(
    ("name", *_COLOURS),
    playerId=TEXT,
    name=TEXT,
    **{name: {**TEXT, "description": "A colour."} for name in _COLOURS},
    **dict.fromkeys(("enableApi", "enableControls", "forceAutoplay", "hideTitle", "forceLoop"), YES_OR_NO),
    createdAt=MOMENT,
    updatedAt=MOMENT,
    assets=shape(("logo", "link"), logo=ADDRESS, link=TEXT),
)

SHAPES: dict[str, Schema] = {
    "Problem": _PROBLEM,
    "Pagination": shape(
        currentPage=WHOLE,
        pageSize=WHOLE,
        pagesTotal=WHOLE,
        itemsTotal=WHOLE,
        currentPageItems=WHOLE,
        links=a_list(shape(rel=one_of("self", "first", "last", "previous", "next"), uri=ADDRESS)),
    ),
    "AccessToken": shape(token_type={"const": "Bearer"}, expires_in=WHOLE, access_token=TEXT, refresh_token=TEXT),
    "Assets": _ASSETS,
    "Video": _VIDEO,
    "Videos": a_page_of("Video"),
    "VideoId": shape(videoId=TEXT),
    "VideoStatus": _STATUS,
    "UploadToken": shape(token=TEXT, ttl=WHOLE, createdAt=MOMENT, expiresAt=or_null(MOMENT)),
    "UploadTokens": a_page_of("UploadToken"),
    "Pieces": shape(
        videoId=TEXT,
        state=TEXT,
        mode=or_null(TEXT),
        total=or_null(WHOLE),
        receivedBytes=WHOLE,
        pieces=a_list(
            shape(
                ("part", "from", "to"),
                part=WHOLE,
                size=WHOLE,
                digest=TEXT,
                **{"from": WHOLE, "to": WHOLE},
            )
        ),
    ),
    "Caption": shape(uri=ADDRESS, src=ADDRESS, srclang=TEXT, languageName=TEXT, default=YES_OR_NO),
    "Captions": a_page_of("Caption"),
    "Chapter": shape(uri=ADDRESS, src=ADDRESS, language=TEXT),
    "Chapters": a_page_of("Chapter"),
    "StoredWatermark": shape(watermarkId=TEXT, createdAt=MOMENT),
    "Watermarks": a_page_of("StoredWatermark"),
    "Tag": shape(value=TEXT, videoCount=WHOLE),
    "Tags": a_page_of("Tag"),
    "PlayerTheme": _THEME,
    "PlayerThemes": a_page_of("PlayerTheme"),
    "Summary": shape(
        summaryId=TEXT,
        videoId=TEXT,
        origin=one_of("api", "auto"),
        sourceStatus=one_of("missing", "waiting", "failed", "completed", "unprocessable"),
        createdAt=MOMENT,
        updatedAt=MOMENT,
    ),
    "Summaries": a_page_of("Summary"),
    "SummarySource": shape(("abstract", "takeaways"), abstract=TEXT, takeaways=a_list(TEXT)),
    "Webhook": shape(webhookId=TEXT, createdAt=MOMENT, events=a_list(TEXT), url=TEXT, signatureSecret=TEXT),
    "Webhooks": a_page_of("Webhook"),
    "Delivery": shape(
        deliveryId=TEXT,
        webhookId=TEXT,
        event=TEXT,
        status=one_of("waiting", "retrying", "delivered", "failed"),
        attempts=WHOLE,
        responseStatus=or_null(WHOLE),
        error=or_null({**TEXT, "description": "Why the last attempt failed."}),
        createdAt=MOMENT,
        nextAttemptAt=or_null(MOMENT),
        endedAt=or_null(MOMENT),
        redeliveryOf=or_null(TEXT),
        body={"type": "object", "description": "What is posted."},
    ),
    "Deliveries": a_page_of("Delivery"),
}
"""The components that answers refer to."""
