"""Judges what a revalidation makes of what it was told: nothing is added, and nothing gets lost.

Who was shown is there as he was shown. Who was not is there as he was before, and the generation
says so; he is dropped when the origin said so of him alone, or an operator of all.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lib.directory.generation import Generation
from lib.users.hiding import HidingPolicy
from tests.fakes import User
from tests.simulation.ledger_entries import Run
from tests.simulation.truth import shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What ``run`` made of the documents ``known`` before, ``lines`` in ``generation``.

    ``found`` are whom look-ups have found. ``whole_before`` and ``whole`` tell that nothing of the
    generations was lost in the table.
    """

    run: Run
    generation: Generation
    known: Mapping[int, bytes]
    lines: Mapping[int, bytes]
    found: Collection[int]
    hidings: Sequence[HidingPolicy]
    believed: bool
    whole_before: bool
    whole: bool

    def judge(self) -> Iterator[str]:
        """Yield what is wrong with it."""
        single = self.run.single()
        told = self.run.listed() | {user_id: row for user_id, row in single.items() if row}
        gone = {user_id for user_id, row in single.items() if row is None}
        members = self.run.members()
        for user_id, line in self.lines.items():
            if user_id in told:
                if not shows(line, told[user_id], self.hidings):
                    yield f"user {user_id} is published as the origin did not tell it"
            elif user_id in gone:
                yield f"user {user_id} is published, who is gone"
            elif user_id in members and shows(line, members[user_id], self.hidings):
                if user_id not in self.known and user_id not in self.found and self.whole_before:
                    yield f"user {user_id} is published, and nobody has said whose he is"
            else:
                yield from self._judge_unseen(user_id, line)
        if not self.believed and self.whole_before and self.whole:
            for user_id in sorted(self.known.keys() - self.lines.keys() - gone):
                yield f"user {user_id} is dropped, although nobody said he is gone"
        if self.whole and (lost := self._listed().keys() - self.lines.keys()):
            yield f"users {sorted(lost)[:5]} were listed and are not published"

    def _listed(self) -> Mapping[int, User]:
        return self.run.listed() if self.run.sweeps else {}

    def _judge_unseen(self, user_id: int, line: bytes) -> Iterator[str]:
        before, generation = self.known.get(user_id), self.generation
        if before is None and user_id not in self.found and self.whole_before:
            yield f"user {user_id} is published, whom nobody has seen"
        elif before and line != before and not shows(line, json.loads(before), self.hidings):
            yield f"user {user_id} has changed, although nobody asked for him"
        beside = generation.unconfirmed_since or generation.adopted
        # A part of a list may have been seen by a sweep before, since when the generation is.
        if self.run.sweeps and not beside and generation.swept_at >= self.run.began:
            yield f"user {user_id} was not seen, and nothing says so"
