"""Content credentials: signing what is decoded, reading that again, and all that can be wrong."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest

from gfvc import decode
from gfvc.credentials import Credentials, ManifestSigner, read_manifest
from gfvc.errors import InputError
from gfvc.stream.marking import DIGITAL_SOURCE_TYPE, GENERATED
from tests.gfvc.support import CommandLine, assert_refused
from tests.golden.files import STREAMS

pytest.importorskip("c2pa", reason="c2pa-python is not installed (extra: credentials)")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MARKED = STREAMS / "hevc_mesh_marked.265"
ORDINARY = STREAMS / "hevc_fallback_always.265"

KINDS: dict[str, Callable[[], Any]] = {
    "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ps256": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "dsa": lambda: dsa.generate_private_key(2048),
}


def _name(name: str) -> x509.Name:
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests")
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(name: str, key: Any, issuer: Any, *, signs_content: bool) -> bytes:
    """A certificate in PEM: one that issues others, or one that content is signed with."""
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment"),
            *("data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"),
            *("encipher_only", "decipher_only"),
        ),
        False,
    )
    usage |= {"digital_signature": signs_content, "key_cert_sign": not signs_content}
    public = issuer.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("Issuer"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(not signs_content, None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    if signs_content:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    pem: bytes = builder.sign(issuer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return pem


def make_credentials(folder: Path, kind: str = "es256") -> Credentials:
    """A certificate, that of its issuer, and its key."""
    issuer, key = KINDS["es256"](), KINDS[kind]()
    credentials = Credentials(folder / f"{kind}.pem", folder / f"{kind}.key")
    credentials.certificates.write_bytes(
        _certificate("Signer", key, issuer, signs_content=True)
        + _certificate("Issuer", issuer, issuer, signs_content=False)
    )
    form = serialization.PrivateFormat.PKCS8
    credentials.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )
    return credentials


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("credentials"))


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, credentials: Credentials) -> Path:
    path = tmp_path_factory.mktemp("signed") / "signed.mp4"
    decode(MARKED, path, credentials=credentials)
    return path


def test_what_is_signed(signed: Path) -> None:
    manifest = read_manifest(signed)
    assert manifest is not None
    digest = hashlib.sha256(MARKED.read_bytes()).hexdigest()
    assert manifest.signer == "Signer of Tests"
    assert manifest.source_types == (DIGITAL_SOURCE_TYPE,)
    assert manifest.ingredients == (f"hevc_mesh_marked.265 (sha256:{digest})",)
    assert manifest.failures == ()


def test_signing_changes_no_picture(tmp_path: Path, credentials: Credentials) -> None:
    plain, output = tmp_path / "plain.mp4", tmp_path / "signed.mp4"
    decode(MARKED, plain)
    ManifestSigner(credentials, MARKED, output).sign(plain, output, "hevc", GENERATED)

    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as container:
            return [bytes(packet) for packet in container.demux(video=0)]

    assert packets(output) == packets(plain)


def test_nothing_goes_over_a_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, credentials: Credentials
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    decode(MARKED, tmp_path / "signed.mp4", credentials=credentials)
    assert read_manifest(tmp_path / "signed.mp4") is not None


def test_the_key_is_not_overwritten(tmp_path: Path, command: CommandLine) -> None:
    own = make_credentials(tmp_path)
    key = tmp_path / "key.mp4"
    own.key.rename(key)
    before = key.read_bytes()
    arguments = ("--credentials", own.certificates, key, "--force")
    outcome = command("decode", MARKED, key, *arguments)
    assert outcome.status == 1
    assert "key.mp4" in outcome.err
    assert key.read_bytes() == before


def test_what_never_ends_is_no_certificate(
    tmp_path: Path, command: CommandLine, credentials: Credentials
) -> None:
    long = tmp_path / "long.pem"
    long.write_bytes(bytes((1 << 20) + 1))
    for path, reason in (
        ("/dev/zero", "is not a file but a device"),
        (long, "has more than the 1048576 bytes"),
    ):
        files = ("--credentials", path, credentials.key)
        outcome = command("decode", MARKED, tmp_path / "out.mp4", *files)
        assert outcome.status == 1
        assert f"{path}: {reason}" in outcome.err
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("kind", ["es384", "ps256", "ed25519"])
def test_keys_of_each_kind(tmp_path: Path, kind: str) -> None:
    decode(MARKED, tmp_path / "signed.mp4", credentials=make_credentials(tmp_path, kind))
    manifest = read_manifest(tmp_path / "signed.mp4")
    assert manifest is not None
    assert manifest.failures == ()


def test_as_a_user_does_it(tmp_path: Path, command: CommandLine, credentials: Credentials) -> None:
    output = tmp_path / "out.mp4"
    arguments = ("--credentials", credentials.certificates, credentials.key)
    assert command("decode", MARKED, output, *arguments).status == 0
    outcome = command("verify", output)
    assert outcome.status == 0
    assert outcome.out.splitlines()[:3] == [
        f"information: marking: stream: marked: {GENERATED}",
        "information: credentials: stream: signed by Signer of Tests; whether to trust that is not "
        "checked here",
        "information: credentials: stream: digital source type: "
        "compositeWithTrainedAlgorithmicMedia",
    ]
    lines = [json.loads(line) for line in command("verify", output, "--json").out.splitlines()]
    assert {line["severity"] for line in lines} == {"information"}
    assert lines[3]["text"].startswith("made of hevc_mesh_marked.265 (sha256:")


def test_other_pictures_than_those_signed(
    signed: Path, tmp_path: Path, command: CommandLine
) -> None:
    data = bytearray(signed.read_bytes())
    data[data.index(b"mdat") + 2000] ^= 1
    changed = tmp_path / "changed.mp4"
    changed.write_bytes(data)
    outcome = command("verify", changed)
    assert outcome.status == 1
    assert "error: credentials: stream: assertion.bmffHash.mismatch" in outcome.out


def test_a_manifest_that_is_damaged(signed: Path, tmp_path: Path, command: CommandLine) -> None:
    """Or else whoever changes a picture need only break the manifest as well."""
    data = bytearray(signed.read_bytes())
    at = data.index(b"c2pa.claim")
    data[at - 40 : at + 40] = bytes(80)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    outcome = command("verify", damaged)
    assert outcome.status == 1
    assert "error: credentials: stream: " in outcome.out


def test_a_video_without_credentials(tmp_path: Path, command: CommandLine) -> None:
    for name in ("plain.mp4", "plain.mkv"):
        decode(MARKED, tmp_path / name)
        outcome = command("verify", tmp_path / name)
        assert outcome.status == 0
        assert outcome.out == f"information: marking: stream: marked: {GENERATED}\n"
    assert read_manifest(tmp_path / "plain.mp4") is None


def test_a_container_that_says_nothing(tmp_path: Path, command: CommandLine) -> None:
    decode(ORDINARY, tmp_path / "ordinary.mp4")
    says = "without a mark or credentials"
    assert_refused(command, "verify", tmp_path / "ordinary.mp4", folder=tmp_path, says=says)


def test_what_cannot_be_signed(
    tmp_path: Path, command: CommandLine, credentials: Credentials
) -> None:
    good = (credentials.certificates, credentials.key)
    other_key = make_credentials(tmp_path, "es384").key
    same_kind = make_credentials(tmp_path).key
    of_dsa = make_credentials(tmp_path, "dsa")
    no_pem, missing = tmp_path / "no.pem", tmp_path / "missing.pem"
    no_pem.write_text("no certificate")
    of_pass_phrase = tmp_path / "phrase.key"
    of_pass_phrase.write_bytes(
        serialization.load_pem_private_key(good[1].read_bytes(), None).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    output = tmp_path / "out.mp4"
    for source, target, pair, says in (
        (MARKED, tmp_path / "out.mkv", good, "only an .mp4 file can hold credentials"),
        (MARKED, tmp_path / "out", good, "only an .mp4 file can hold credentials"),
        (MARKED, output, (missing, good[1]), "missing.pem: no such file"),
        (MARKED, output, (good[0], missing), "missing.pem: no such file"),
        (MARKED, output, (no_pem, good[1]), "no.pem: holds no certificates in PEM"),
        (MARKED, output, (good[1], good[1]), "key: holds no certificates in PEM"),
        (MARKED, output, (good[0], no_pem), "no.pem: holds no private key in PEM"),
        (MARKED, output, (good[0], good[0]), "pem: holds no private key in PEM"),
        (MARKED, output, (good[0], other_key), "key: is not the key of the first certificate in"),
        (MARKED, output, (good[0], same_kind), "key: is not the key of the first certificate in"),
        (MARKED, output, (good[0], of_pass_phrase), "phrase.key: is encrypted; give a key without"),
        (MARKED, output, (of_dsa.certificates, of_dsa.key), "another kind than ECDSA"),
        (ORDINARY, output, good, "is shown as coded throughout"),
    ):
        arguments = (source, target, "--credentials", *pair)
        assert_refused(command, "decode", *arguments, folder=tmp_path, says=says)


def test_keys_as_openssl_wrote_them_once(tmp_path: Path) -> None:
    credentials = make_credentials(tmp_path)
    key = serialization.load_pem_private_key(credentials.key.read_bytes(), None)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    credentials.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )
    decode(MARKED, tmp_path / "signed.mp4", credentials=credentials)
    assert read_manifest(tmp_path / "signed.mp4") is not None


def test_names_that_are_no_text(tmp_path: Path, credentials: Credentials) -> None:
    """A manifest is text: what is none in a name comes out as an escape."""
    folder = tmp_path / os.fsdecode(b"od\xffd")
    folder.mkdir()
    stream, output = folder / os.fsdecode(b"in\xff.265"), folder / os.fsdecode(b"out\xff.mp4")
    shutil.copy(MARKED, stream)
    own = Credentials(folder / os.fsdecode(b"a\xff.pem"), folder / os.fsdecode(b"a\xff.key"))
    shutil.copy(credentials.certificates, own.certificates)
    shutil.copy(credentials.key, own.key)
    decode(stream, output, credentials=own)
    manifest = read_manifest(output)
    assert manifest is not None
    assert manifest.ingredients[0].startswith(r"in\xff.265 (sha256:")


def test_a_certificate_for_something_else(tmp_path: Path, credentials: Credentials) -> None:
    key = KINDS["es256"]()
    form = serialization.PrivateFormat.PKCS8
    issuer = replace(credentials, certificates=tmp_path / "ca.pem", key=tmp_path / "ca.key")
    issuer.certificates.write_bytes(_certificate("Issuer", key, key, signs_content=False))
    issuer.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )
    with pytest.raises(InputError, match="cannot sign"):
        decode(MARKED, tmp_path / "out.mp4", credentials=issuer)
    assert not (tmp_path / "out.mp4").exists()


def test_without_the_library(
    monkeypatch: pytest.MonkeyPatch,
    signed: Path,
    tmp_path: Path,
    command: CommandLine,
    credentials: Credentials,
) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    says = "pip install 'gfvc[credentials]'"
    pair = (credentials.certificates, credentials.key)
    output = tmp_path / "out.mp4"
    assert_refused(
        command, "decode", MARKED, output, "--credentials", *pair, folder=tmp_path, says=says
    )
    copy = Path(shutil.copy(signed, tmp_path / "copy.mp4"))
    outcome = command("verify", copy)
    assert outcome.status == 0
    assert "warning: credentials: stream: content credentials need c2pa-python" in outcome.out
