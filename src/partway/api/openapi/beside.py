"""Rows: what stands beside videos: summaries, webhooks, live streams, analytics (contract.md 1.9 to 1.13)."""

from __future__ import annotations

from partway import errors
from partway.api.openapi.operation import (
    IDEMPOTENCY,
    MOMENT,
    NOTHING,
    PAGING,
    TEXT,
    WHOLE,
    YES_OR_NO,
    Operation,
    Parameter,
    a_list,
    json_answer,
    one_of,
    ref,
    shape,
    sorting,
)
from partway.api.schemas.live_streams import NewLiveStream
from partway.api.schemas.summaries import NewSummary, SummaryText
from partway.api.schemas.webhooks import NewWebhook

_ORIGINS = one_of("auto", "api")
_STATUSES = one_of("missing", "waiting", "failed", "completed", "unprocessable")
_LIVE = "/live-streams/{liveStreamId}"
# Not one of them has ever been there, so that only a refusal can be said of it.
_NO_LIVE_STREAM = Operation({})

_CONTEXT = shape(
    ("aggregation", "breakdown", "interval"),
    metric=TEXT,
    aggregation=TEXT,
    breakdown=TEXT,
    interval=TEXT,
    timeframe=shape(**{"from": MOMENT, "to": MOMENT}),
)
_MEASURED = (
    Parameter("from", MOMENT, "From when on; a day before `to`, if not said."),
    Parameter("to", MOMENT, "Until when; now, if not said."),
    Parameter("unique", YES_OR_NO, "Count everybody once."),
    Parameter("viewDuration", one_of("3s", "5s", "10s", "30s"), "How long a view lasts at least."),
)
_QUERY = (errors.InvalidQueryParameter,)
_NO_FIGURES = json_answer(shape(context=_CONTEXT, data=a_list({"type": "object"}), pagination=ref("Pagination")))

OPERATIONS: dict[str, Operation] = {
    "GET /summaries": Operation(
        {200: json_answer(ref("Summaries"))},
        (
            Parameter("videoId", TEXT, "The video it is of."),
            Parameter("origin", _ORIGINS, "Who has written it."),
            Parameter("sourceStatus", _STATUSES, "How far it is."),
            *sorting("createdAt", "updatedAt", "videoId"),
            *PAGING,
        ),
    ),
    "POST /summaries": Operation(
        {201: json_answer(ref("Summary"), "Made.")},
        (IDEMPOTENCY,),
        NewSummary,
        refusals=(errors.NotFound, errors.SummaryExists),
    ),
    "DELETE /summaries/{summaryId}": Operation({204: NOTHING}),
    "GET /summaries/{summaryId}/source": Operation({200: json_answer(ref("SummarySource"))}),
    "PATCH /summaries/{summaryId}/source": Operation(
        {201: json_answer(ref("SummarySource"))}, body=SummaryText, refusals=(errors.SummaryExists,)
    ),
    "GET /webhooks": Operation(
        {200: json_answer(ref("Webhooks"))},
        (Parameter("events", TEXT, "Events that it wants to hear of, all of them; joined by commas."), *PAGING),
    ),
    "POST /webhooks": Operation(
        {201: json_answer(ref("Webhook"), "Made.")},
        (IDEMPOTENCY,),
        NewWebhook,
        refusals=(errors.WebhookLimitReached,),
    ),
    "GET /webhooks/{webhookId}": Operation({200: json_answer(ref("Webhook"))}),
    "DELETE /webhooks/{webhookId}": Operation({204: NOTHING}),
    "GET /live-streams": Operation(
        {200: json_answer(shape(data=a_list({"type": "object"}), pagination=ref("Pagination")))},
        (*sorting("name", "createdAt", "updatedAt"), *PAGING),
    ),
    "POST /live-streams": Operation({}, body=NewLiveStream, refusals=(errors.NoLiveStreams,)),
    f"GET {_LIVE}": _NO_LIVE_STREAM,
    f"PATCH {_LIVE}": _NO_LIVE_STREAM,
    f"DELETE {_LIVE}": _NO_LIVE_STREAM,
    f"POST {_LIVE}/thumbnail": _NO_LIVE_STREAM,
    f"DELETE {_LIVE}/thumbnail": _NO_LIVE_STREAM,
    f"PUT {_LIVE}/complete": _NO_LIVE_STREAM,
    "GET /data/metrics/{metric}/{aggregation}": Operation(
        {200: json_answer(shape(context=_CONTEXT, data=WHOLE), "A figure: 0.")}, _MEASURED, refusals=_QUERY
    ),
    "GET /data/buckets/{metric}/{breakdown}": Operation(
        {200: _NO_FIGURES}, (*_MEASURED, *sorting("metricValue", "dimensionValue"), *PAGING), refusals=_QUERY
    ),
    "GET /data/timeseries/{metric}": Operation(
        {200: _NO_FIGURES},
        (
            Parameter("interval", one_of("minute", "hour", "day"), "How long each step is."),
            *_MEASURED,
            *sorting("metricValue", "emittedAt"),
            *PAGING,
        ),
        refusals=_QUERY,
    ),
}
