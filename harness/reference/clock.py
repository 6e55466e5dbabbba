"""The server's clock: the machine's, moved by what an operator asked for."""

from datetime import UTC, datetime, timedelta


class ServerClock:
    """Wall-clock time plus an offset that only grows."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """The present moment, aware, in UTC, with microseconds."""
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward by that many seconds.

        Raises:
            ValueError: the number is negative, not finite, or leads beyond the year 9999.
        """
        if seconds < 0:
            raise ValueError("advance_seconds must not be negative")
        try:
            offset = self._offset + timedelta(seconds=seconds)
            datetime.now(UTC) + offset
        except OverflowError as error:
            raise ValueError("advance_seconds leads beyond the calendar") from error
        self._offset = offset
