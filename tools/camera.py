#!/usr/bin/python3
"""Installs, configures, starts, stops and watches the logger on one or many cameras (VAPIX)."""

from __future__ import annotations

import os
import pathlib
import sys

from desk import need

need("click", "requests")

import click  # noqa: E402
import urllib3  # noqa: E402

from desk.errors import DeskError, warn  # noqa: E402
from vapix import fleet, settings  # noqa: E402
from vapix.answers import CameraError  # noqa: E402
from vapix.camera import Access, Camera  # noqa: E402

PASSWORD = "CAMERA_PASSWORD"


class Fleet:
    """The cameras of this call, and what is done with each."""

    def __init__(self, targets: list[fleet.Target], access: Access, jobs: int):
        self.targets = targets
        self.access = access
        self.jobs = jobs

    def each(self, work) -> None:
        """WORK(camera, target) -> sentence, for all; exit code 1 when one failed."""

        def with_camera(target: fleet.Target) -> str:
            return work(Camera(target.address, self.access), target)

        failed = fleet.for_all(self.targets, with_camera, tell, self.jobs)
        if failed:
            count = len(self.targets)
            click.echo(f"{failed} of {count} camera{'s' if count > 1 else ''} failed", err=True)
            sys.exit(1)


def tell(target: fleet.Target, sentence: str, error: CameraError | None) -> None:
    if error is None:
        click.echo("\n".join(f"{target.name}: {line}" for line in sentence.splitlines()))
        return
    click.echo(f"{target.name}: Error: {error.what}", err=True)
    if error.next_step:
        click.echo(f"{target.name}: Next: {error.next_step}", err=True)


def password_of(user: str, file: pathlib.Path | None) -> str:
    """From a file, the environment or the keyboard; never from the command line."""
    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\n")
    if PASSWORD in os.environ:
        return os.environ[PASSWORD]
    if not sys.stdin.isatty():
        raise DeskError(
            "there is no password.", f"set {PASSWORD}, give --password-file, or use a terminal"
        )
    return click.prompt(f"Password of {user} on the cameras", hide_input=True, err=True)


def in_words(make, *args):
    """CameraError about our own input as the error that click shows."""
    try:
        return make(*args)
    except CameraError as error:
        raise DeskError(error.what, error.next_step) from error


def all_targets(cameras: tuple[str, ...], file: pathlib.Path | None) -> list[fleet.Target]:
    targets = [fleet.parse_target(text) for text in cameras]
    if file is not None:
        targets += fleet.read_targets(file)
    if not targets:
        raise CameraError("no camera is given", "name one with --camera or a file with --cameras")
    fleet.check_names(targets)
    return targets


PATH = click.Path(exists=True, dir_okay=False, path_type=pathlib.Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--camera", "cameras", multiple=True, metavar="[NAME=]ADDRESS",
              help="A camera; repeat it. ADDRESS may start with http:// or https:// (default).")
@click.option("--cameras", "file", type=PATH, help="File with one [NAME=]ADDRESS in each line.")
@click.option("--user", default="root", show_default=True, help="An administrator of the cameras.")
@click.option("--password-file", type=PATH, help=f"File with the password (else {PASSWORD}).")
@click.option("--ca", type=PATH, help="Certificate authority of the cameras (PEM).")
@click.option("--insecure", is_flag=True, help="Accept any certificate, as new cameras have.")
@click.option("--jobs", type=click.IntRange(1, 64), default=8, show_default=True,
              help="Cameras asked at the same time.")
@click.pass_context
def main(context, cameras, file, user, password_file, ca, insecure, jobs):
    """Manage the logger on cameras.

    \b
    Example:
      export CAMERA_PASSWORD
      camera.py --insecure --cameras site.txt install NTP_logger_1_0_0_*.eap
      camera.py --insecure --cameras site.txt configure --urls 's3.{name}.env'
      camera.py --insecure --cameras site.txt state
    """
    if insecure:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    targets = in_words(all_targets, cameras, file)
    verify = False if insecure else str(ca) if ca else True
    access = Access(user, password_of(user, password_file), verify)
    context.obj = Fleet(targets, access, jobs)


def package_for(packages: tuple[pathlib.Path, ...], arch: str) -> pathlib.Path:
    for package in packages:
        if package.name.endswith(f"_{arch}.eap"):
            return package
    raise CameraError(
        f"its architecture is {arch}, and no package given is for that",
        f"give the one whose name ends in _{arch}.eap",
    )


WAIT = click.option("--wait", type=click.IntRange(1, 600), default=30, show_default=True,
                    metavar="S", help="Seconds until it must be seen running.")


@main.command()
@click.argument("packages", nargs=-1, required=True, type=PATH, metavar="FILE.eap...")
@click.option("--allow-unsigned", is_flag=True, help="First let the camera take unsigned packages.")
@click.option("--start/--no-start", default=True, help="Start it after installing (default: yes).")
@WAIT
@click.pass_obj
def install(cameras, packages, allow_unsigned, start, wait):
    """Install or upgrade; each camera gets the package of its architecture."""

    def work(camera: Camera, _target) -> str:
        package = package_for(packages, camera.architecture())
        before = camera.state()
        if allow_unsigned:
            camera.allow_unsigned()
        camera.install(package)
        done = f"upgraded from {before.version}" if before else "installed"
        if not start:
            return f"{done}, not started"
        camera.control("start")
        return f"{done}, {camera.wait_until_running(wait).version} is running"

    cameras.each(work)


def control_command(action: str, done: str, already: str, help_text: str) -> None:
    @main.command(action, help=help_text)
    @click.pass_obj
    def command(cameras):
        cameras.each(lambda camera, _target: done if camera.control(action) else already)


control_command("start", "started", "runs already", "Start it.")
control_command("stop", "stopped", "is stopped already", "Stop it; its rows are kept.")
control_command("restart", "restarted", "", "Stop and start it.")


@main.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(cameras, yes):
    """Uninstall it and delete the rows that were not uploaded yet."""
    if not yes:
        click.confirm(f"Remove it and its rows from {len(cameras.targets)} camera(s)?", abort=True,
                      err=True)
    cameras.each(lambda camera, _target: "removed" if camera.control("remove") else "")


@main.command()
@click.option("--urls", metavar="FILE",
              help="s3.env of generate_url.py; {name} is the camera's name.")
@click.option("--url-source-file", metavar="FILE", help="File with the url_source address.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE",
              help="upload_interval_s or log_level; 0 and default mean as built.")
@click.option("--restart/--no-restart", default=True, help="Restart it afterwards (default: yes).")
@WAIT
@click.pass_obj
def configure(cameras, urls, url_source_file, assignments, restart, wait):
    """Set the camera's parameters of the logger; secrets come from files."""
    open_values = dict(in_words(settings.from_assignment, text) for text in assignments)
    if not (urls or url_source_file or open_values):
        raise DeskError("nothing to set.", "give --urls, --url-source-file or --set")

    def work(camera: Camera, target) -> str:
        values = dict(open_values)
        if urls:
            values |= settings.from_env_file(pathlib.Path(urls.replace("{name}", target.name)))
        if url_source_file:
            path = pathlib.Path(url_source_file.replace("{name}", target.name))
            values |= settings.from_url_file(path)
        if camera.base.startswith("http:") and set(values) - set(settings.OPEN.values()):
            warn(f"{target.name}: the addresses travel unencrypted; prefer https://")
        camera.configure(values)
        if not restart:
            return f"set {', '.join(values)}; takes effect at the next start"
        camera.control("restart")
        running = camera.wait_until_running(wait)
        return f"set {', '.join(values)}, {running.version} is running"

    cameras.each(work)


@main.command()
@click.pass_obj
def state(cameras):
    """Tell AXIS OS, architecture, and whether the logger is installed and runs."""

    def work(camera: Camera, _target) -> str:
        device = f"AXIS OS {camera.firmware()}, {camera.architecture()}"
        app = camera.state()
        if app is None:
            return f"{device}; not installed"
        return f"{device}; {app.version} {app.status.lower()}, signature {app.signed.lower()}"

    cameras.each(work)


@main.command()
@click.option("--lines", type=click.IntRange(1), default=20, show_default=True, help="The newest.")
@click.pass_obj
def log(cameras, lines):
    """Show what the logger said last."""

    def work(camera: Camera, _target) -> str:
        said = camera.log().splitlines()[-lines:]
        return "\n".join(said) or "(nothing)"

    cameras.each(work)


if __name__ == "__main__":
    main()
