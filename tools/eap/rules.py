"""The checklist's frame: a rule has a name and a sentence, and yields what breaks it."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator


@dataclasses.dataclass(frozen=True)
class Rule:
    """One line of the checklist."""

    name: str
    sentence: str
    check: Callable[..., Iterable[str]]

    def problems(self, subject) -> list[str]:
        """What breaks the rule; one that cannot even be judged is broken."""
        try:
            return list(self.check(subject))
        except Exception as error:  # noqa: BLE001: the subject is untrusted
            return [f"cannot be judged: {type(error).__name__}: {error}"]


class Checklist:
    """Rules in the order of their definition."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def rule(self, name: str, sentence: str) -> Callable:
        """Decorator: the function takes the subject and yields problems."""

        def add(check: Callable[..., Iterable[str]]) -> Callable[..., Iterable[str]]:
            assert all(known.name != name for known in self._rules), f"rule {name} twice"
            self._rules.append(Rule(name, sentence, check))
            return check

        return add

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules)
