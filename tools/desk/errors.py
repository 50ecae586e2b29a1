"""The one error a person sees: what is wrong, and what to do next."""

from __future__ import annotations

import click


class DeskError(click.ClickException):
    """A sentence that names the thing and the value, and the next step. Exit code 1."""

    exit_code = 1

    def __init__(self, what: str, next_step: str = ""):
        super().__init__(what)
        self.next_step = next_step

    def show(self, file=None) -> None:
        click.echo(f"Error: {self.message}", err=True)
        if self.next_step:
            click.echo(f"Next: {self.next_step}", err=True)


def warn(sentence: str) -> None:
    """A warning for the person; stdout stays for results."""
    click.echo(f"Warning: {sentence}", err=True)
