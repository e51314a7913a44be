"""`streampy certs`: what it writes is what `tls:` takes."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from streampy.cli.exits import Exit
from streampy.model.segments import Tls
from streampy.pipes.net import tls as net_tls


def certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def hosts_of(file: Path) -> list[str]:
    names = certificate(file).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def test_what_is_told_can_be_put_into_a_file_as_it_is(streampy, tmp_path):
    done = streampy("certs", str(tmp_path / "made"))

    assert (done.returncode, done.stderr) == (Exit.OK, "")
    listener, dialler = (Tls.of(yaml.safe_load(told)["tls"]) for told in re.findall(r"tls: .*", done.stdout))
    net_tls.Tls(listener.ca, listener.cert, listener.key).listening()
    net_tls.Tls(dialler.ca, dialler.cert, dialler.key).dialling()
    assert hosts_of(Path(listener.cert)) == ["localhost", "127.0.0.1"]


def test_hosts_and_days_stand_in_the_certificate(streampy, tmp_path):
    streampy("certs", str(tmp_path), "--host", "core.example", "--host", "10.0.0.7", "--days", "30")

    made = certificate(tmp_path / "server.pem")
    assert hosts_of(tmp_path / "server.pem") == ["core.example", "10.0.0.7"]
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 30


def test_only_the_owner_may_read_the_keys(streampy, tmp_path):
    streampy("certs", str(tmp_path))

    keys = sorted(tmp_path.glob("*.key"))
    assert ["ca.key", "client.key", "server.key"] == [key.name for key in keys]
    assert {0o600} == {stat.S_IMODE(key.stat().st_mode) for key in keys}


def test_files_that_are_there_are_replaced_only_when_asked(streampy, tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "server.key").write_text("mine")

    done = streampy("certs", str(folder))
    assert done.returncode == Exit.USAGE
    assert "has server.key already: name a new folder, or replace them with --force" in done.stderr
    assert ["server.key"] == [file.name for file in folder.iterdir()]

    assert streampy("certs", str(folder), "--force").returncode == Exit.OK
    assert "mine" not in (folder / "server.key").read_text()


@pytest.mark.parametrize("days", ["0", "-3", "1.5", "a year", "99999999"])
def test_days_that_are_none_are_a_usage_error(streampy, tmp_path, days):
    done = streampy("certs", str(tmp_path / "made"), f"--days={days}")

    assert done.returncode == Exit.USAGE
    assert f"got {days!r}, expected days" in done.stderr
    assert not (tmp_path / "made").exists()


def test_folder_that_is_a_file_is_told(streampy, tmp_path):
    (tmp_path / "taken").write_text("")

    done = streampy("certs", str(tmp_path / "taken"))
    assert done.returncode == Exit.USAGE
    assert "no certificates in" in done.stderr
