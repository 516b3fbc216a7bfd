"""An attachment on its way from Bigin."""

from dataclasses import dataclass

from bigin_archive.bigin.response_body import Body, Framing


@dataclass(frozen=True, slots=True)
class Download:
    """An attachment on its way: headers as Bigin sent them, and the body."""

    body: Body
    disposition: str | None
    content_type: str | None
    compressed: bool

    @property
    def size_bytes(self) -> int | None:
        """The size that Bigin declared for the file itself; None if it declared none."""
        return None if self.compressed else self.body.declared_bytes

    @property
    def end_is_certain(self) -> bool:
        """Whether the framing distinguishes a whole body from a lost connection."""
        return self.compressed or self.body.framing is not Framing.CLOSE
