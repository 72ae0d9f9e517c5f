"""What a caller got wrong, as data: the command line makes exit codes of it, a page makes a message of it."""


class ServiceError(Exception):
    """Any of the below."""


class NotFound(ServiceError):  # noqa: N818 it says what is so, as a status does
    """There is no `kind` (uplink, site, plan, nas, user, voucher, batch, session, own value ...) of that name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"no {kind} {name!r}")
        self.kind = kind
        self.name = name


class Conflict(ServiceError):  # noqa: N818 the same
    """There is a `kind` of that name already, or it is in a state that does not allow this."""

    def __init__(self, kind: str, name: str, problem: str = "exists already") -> None:
        super().__init__(f"{kind} {name!r} {problem}")
        self.kind = kind
        self.name = name
        self.problem = problem


class Invalid(ServiceError):  # noqa: N818 the same
    """A value that cannot be used: which field, and what is wrong with it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
