"""Probing: facts of files whose index we can't read, found out once and kept."""

from __future__ import annotations

from typing import Protocol

from partway.catalog import findings, uploads, videos
from partway.catalog.clock import now
from partway.catalog.database import Database
from partway.catalog.findings import Probe
from partway.errors import MediaError, NotFound
from partway.media.facts import Facts
from partway.services.events import announce, events_of
from partway.services.examination import Examination, Examinations
from partway.services.facts import write_facts
from partway.services.status import status_of


class Prober(Protocol):
    """Finds out what a file is; ``transcode.probe`` is the real one."""

    async def __call__(self, found: Examination) -> Facts:
        """What there is to know.

        Raises:
            MediaError: it is nothing that can be used; trying again would not help.
        """
        ...


class Probing:
    """The verb of probing."""

    def __init__(self, database: Database, examinations: Examinations) -> None:
        self._database = database
        self._examinations = examinations

    async def probe(self, video_id: str, prober: Prober) -> None:
        """Find out what a complete source is and publish it, unless it is known; as often as asked, published once.

        What the index tells is taken as it is; ``prober`` is for the rest. A deleted video needs nothing.
        """
        try:
            async with self._database.read() as tx:
                if await findings.probe(tx, video_id) is not None:
                    return
            examined = await self._examinations.of(video_id)
        except NotFound:
            return
        assert examined.is_whole
        try:
            known = examined.facts
            found = Probe(write_facts(known if known and known.width else await prober(examined)), None)
        except MediaError as error:
            found = Probe(None, str(error))
        try:
            async with self._database.write() as tx:
                upload = await uploads.lock(tx, video_id)
                at = now()
                if await findings.add_probe(tx, video_id, found, at=at):
                    # Whatever may be told of a complete source is told with its probe, and so once.
                    status = status_of(await videos.get(tx, video_id), upload.summary, (), examined, found)
                    await announce(tx, *events_of(video_id, status), at=at)
        except NotFound:
            return
