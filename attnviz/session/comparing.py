"""What a run is compared with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from attnviz.session.request import Request

AgainstKind = Literal["trained", "kept", "text"]


@dataclass(frozen=True)
class Against:
    """kind: the same text with the model as "trained", a run that was "kept", or another "text" read in the same way.

    kept: the request of the kept run; text: the other text.
    """

    kind: AgainstKind
    kept: Request | None = None
    text: str = ""

    def request(self, shown: Request) -> Request:
        """The run that a request is compared with."""
        match self.kind:
            case "trained":
                return shown.as_trained()
            case "kept":
                assert self.kept is not None
                return self.kept.alone()
            case "text":
                other = shown.alone()
                return replace(other, text=self.text, written=(), changes=other.changes.without_weights())


def trained() -> Against:
    """The same text with the model as it is."""
    return Against("trained")


def kept(request: Request) -> Against:
    """A run as it is now, whatever is changed afterwards."""
    return Against("kept", request.alone())


def other_text(text: str) -> Against:
    """Another text."""
    return Against("text", text=text)
