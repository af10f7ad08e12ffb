"""Rows: what is partway's own: beyond the contract, pages, operation."""

from __future__ import annotations

from partway import errors
from partway.api.openapi.operation import PAGING, TEXT, Answer, Operation, json_answer, ref, shape

_PAGE = Answer("The page.", {"text/html": TEXT})

OPERATIONS: dict[str, Operation] = {
    "GET /-/videos/{videoId}/parts": Operation({200: json_answer(ref("Pieces"))}),
    "POST /-/videos/{videoId}/finish": Operation({200: json_answer(ref("Video"))}, refusals=(errors.UploadHasGaps,)),
    "GET /-/webhooks/{webhookId}/deliveries": Operation({200: json_answer(ref("Deliveries"))}, PAGING),
    "POST /-/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver": Operation(
        {201: json_answer(ref("Delivery"), "It waits for its turn.")}
    ),
    "GET /-/openapi.json": Operation({200: json_answer({"type": "object"}, "This description.")}, caller="anybody"),
    "GET /-/docs": Operation({200: _PAGE}, caller="anybody"),
    "GET /": Operation({200: _PAGE}, caller="anybody"),
    "GET /healthz": Operation({200: json_answer(shape(status={"const": "ok"}), "Ready.")}, caller="anybody"),
    "GET /metrics": Operation({200: Answer("The figures.", {"text/plain": TEXT})}, caller="anybody"),
}
