"""The one error that the commands raise."""

INTERRUPTED = 130  # as a shell tells Ctrl-C: 128 + SIGINT


class OperateError(Exception):
    """Something did not work: ``problem`` says what, ``remedy`` what to do. Neither ever holds a secret."""

    def __init__(self, problem: str, remedy: str, *, status: int = 1) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.status = status
