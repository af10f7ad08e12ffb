"""What every payload and answer shares: checked attributes, complaints, moments (contract.md 1.1)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr, ValidationError
from pydantic.alias_generators import to_camel

from partway.errors import InvalidAttribute, MissingAttribute, Refused, SeveralProblems
from partway.services.values import to_datetime

Language = Literal[
    "ar", "ca", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hr", "hu", "it", "ja", "ko", "ml",
    "nl", "nn", "no", "pl", "pt", "ru", "sk", "sl", "te", "tr", "uk", "ur", "vi", "zh",
]  # fmt: skip


def _sane(text: str) -> str:
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("This text has characters that can't be kept.")
    return text


Text = Annotated[StrictStr, Field(max_length=100_000), AfterValidator(_sane)]


class Payload(BaseModel):
    """A JSON body; what we don't know is ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")


P = TypeVar("P", bound=Payload)


def parse(kind: type[P], payload: dict[str, Any]) -> P:
    """Check a payload.

    Raises:
        MissingAttribute, InvalidAttribute: something is wrong with one attribute.
        SeveralProblems: with more than one.
    """
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        problems = [_complaint(dict(one)) for one in error.errors(include_url=False, include_context=False)]
        raise problems[0] if len(problems) == 1 else SeveralProblems(problems) from None


def _complaint(error: dict[str, Any]) -> Refused:
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error["loc"]).lstrip(".")
    required = error["type"] == "missing" or (error["loc"] == ("title",) and error["input"] is None)
    if required:
        return MissingAttribute(name=name)
    if name == "language" and isinstance(error["input"], str):
        letters = error["input"].replace("-", "").isalpha()
        known = ", ".join(get_args(Language))
        detail = f"is not valid, use one of {known}." if letters else "must contain only letters and dashes."
        return InvalidAttribute(f"This attribute {detail}", name=name)
    # Pydantic's own way to introduce what a validator of ours has said.
    words = error["msg"].removeprefix("Value error, ").removesuffix(".")
    return InvalidAttribute(f"{words}.", name=name)


def moment(microseconds: int | None) -> str | None:
    """A time as the contract writes it: whole seconds and a numeric offset."""
    return None if microseconds is None else to_datetime(microseconds).strftime("%Y-%m-%dT%H:%M:%S+00:00")
