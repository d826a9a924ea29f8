"""Content credentials (C2PA): a signed manifest in a decoded MP4 file that says how it was made.

Needs the extra `credentials`. Nothing is fetched or sent: no time stamps, no lists of trusted or
revoked certificates, no remote manifests. So a signature counts as long as its certificate does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gfvc import __version__
from gfvc.errors import InputError, OutputError
from gfvc.given import not_a_file
from gfvc.json_checking import read_bytes
from gfvc.stream.marking import DIGITAL_SOURCE_TYPE
from gfvc.stream.names import MP4_SUFFIX, is_mp4
from models.files import file_sha256
from sei import printable

_MEDIA_TYPE = "video/mp4"
_STREAM = "stream"  # the ingredient, as actions name it
_STREAM_TYPES = {"vvc": "video/H266", "hevc": "video/H265"}
_LONGEST_PEM = 1 << 20  # a chain of certificates, or a key
_UNTRUSTED = "signingCredential.untrusted"
_OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a manifest is signed with: files (PEM) of a certificate chain and of its key."""

    certificates: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of a file as it was read.

    `failures` says what does not hold, such as pictures that are not those that were signed; that
    nobody says whether the signer can be trusted is none.
    """

    signer: str
    source_types: tuple[str, ...]
    ingredients: tuple[str, ...]
    failures: tuple[str, ...]


class ManifestSigner:
    """Signs an MP4 file that is made of a stream.

    Raises `InputError` when the credentials cannot be used, the stream is no regular file or
    c2pa-python is not installed, `OutputError` when `output` is no MP4 file.
    """

    def __init__(self, credentials: Credentials, stream: Path, output: Path) -> None:
        if not is_mp4(output):
            raise OutputError(f"{output}: only an {MP4_SUFFIX} file can hold credentials")
        if stream.exists() and not stream.is_file():
            raise InputError(f"{stream}: {not_a_file(stream)}, and credentials name it by its hash")
        self._stream = stream
        self._output = output
        self._credentials = credentials
        self._c2pa = _library()
        certificates = read_bytes(credentials.certificates, _LONGEST_PEM)
        public = _public_key(credentials.certificates, certificates)
        algorithm = _algorithm(credentials.certificates, public)
        self._information = self._c2pa.C2paSignerInfo(
            algorithm, certificates, _private_key(credentials, public), None
        )
        self._signer().close()

    def _signer(self) -> Any:
        try:
            return self._c2pa.Signer.from_info(self._information)
        except self._c2pa.C2paError as error:
            raise self._refused(error) from None

    def _refused(self, error: Exception) -> InputError:
        return InputError(
            f"{self._credentials.certificates} and {self._credentials.key}: cannot sign ({error})"
        )

    def sign(self, unsigned: Path, signed: Path, codec: str, mark: str) -> None:
        """Write an MP4 file with a manifest.

        It says that the pictures were made of the stream, of this `codec` and by its SHA-256, and
        are filmed and drawn; `mark` is that in words. Raises `InputError` when the certificate is
        not fit for signing, `OutputError` when the file cannot be signed.
        """
        ingredient = {
            "title": printable(self._stream.name),
            "format": _STREAM_TYPES[codec],
            "relationship": "inputTo",
            "instance_id": f"sha256:{file_sha256(self._stream)}",
            "label": _STREAM,
        }
        action = {
            "action": "c2pa.created",
            "digitalSourceType": DIGITAL_SOURCE_TYPE,
            "description": mark,
            "parameters": {"ingredientIds": [_STREAM]},
        }
        manifest = {
            "claim_generator_info": [{"name": "gfvc", "version": __version__}],
            "title": printable(self._output.name),
            "format": _MEDIA_TYPE,
            "ingredients": [ingredient],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
        }
        settings = self._c2pa.Settings.from_dict(_OFFLINE)
        try:
            with (
                self._signer() as signer,
                self._c2pa.Context(settings) as context,
                self._c2pa.Builder(manifest, context) as builder,
                unsigned.open("rb") as source,
                signed.open("w+b") as target,
            ):
                builder.sign(signer, _MEDIA_TYPE, source, target)
        except self._c2pa.C2paError.Signature as error:
            raise self._refused(error) from None
        except self._c2pa.C2paError as error:
            raise OutputError(f"{self._output}: cannot be signed ({error})") from None


class NoLibraryError(InputError):
    """c2pa-python is not installed."""


def read_manifest(path: Path) -> Manifest | None:
    """The manifest of an MP4 file; None without one.

    Raises `InputError` when it cannot be read, and `NoLibraryError` without c2pa-python.
    """
    c2pa = _library()
    settings = c2pa.Settings.from_dict(_OFFLINE)
    try:
        with (
            c2pa.Context(settings) as context,
            path.open("rb") as file,
            c2pa.Reader(_MEDIA_TYPE, stream=file, context=context) as reader,
        ):
            active = reader.get_active_manifest() or {}
            results = reader.get_validation_results() or {}
    except c2pa.C2paError.ManifestNotFound:
        return None
    except c2pa.C2paError as error:
        raise InputError(f"{path}: its credentials cannot be read ({error})") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    signature = active.get("signature_info", {})
    names = [signature.get("common_name"), signature.get("issuer")]
    failures = results.get("activeManifest", {}).get("failure", [])
    return Manifest(
        " of ".join(str(name) for name in names if name) or "somebody without a name",
        tuple(dict.fromkeys(_source_types(active))),
        tuple(
            f"{ingredient.get('title')} ({ingredient.get('instance_id')})"
            for ingredient in active.get("ingredients", [])
        ),
        tuple(
            f"{failure.get('code')}: {failure.get('explanation')}"
            for failure in failures
            if failure.get("code") != _UNTRUSTED
        ),
    )


def _source_types(manifest: dict[str, Any]) -> Iterator[str]:
    """Digital source types that the actions of a manifest state."""
    for assertion in manifest.get("assertions", []):
        if str(assertion.get("label")).startswith("c2pa.actions"):
            for action in assertion.get("data", {}).get("actions", []):
                if "digitalSourceType" in action:
                    yield str(action["digitalSourceType"])


def _library() -> Any:
    try:
        import c2pa
    except ImportError:
        raise NoLibraryError(
            "content credentials need c2pa-python, which is not installed: "
            "pip install 'gfvc[credentials]'"
        ) from None
    return c2pa


def _public_key(path: Path, certificates: bytes) -> Any:
    """The key of the first of some certificates, which is the signer's."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return x509.load_pem_x509_certificates(certificates)[0].public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(f"{path}: holds no certificates in PEM, or damaged ones") from None


def _private_key(credentials: Credentials, public: Any) -> bytes:
    """The key that goes with a certificate's, in the one form of PEM that c2pa-python takes."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as forms

    path = credentials.key
    content = read_bytes(path, _LONGEST_PEM)
    try:
        key = forms.load_pem_private_key(content, None)
    except TypeError:
        raise InputError(
            f"{path}: is encrypted; give a key without a pass phrase "
            "(openssl pkey -in KEY -out PLAIN)"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(f"{path}: holds no private key in PEM, or a damaged one") from None
    if key.public_key() != public:
        raise InputError(
            f"{path}: is not the key of the first certificate in {credentials.certificates}"
        )
    return key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())


def _algorithm(path: Path, key: Any) -> str:
    """Name of the signature algorithm that goes with a certificate's key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPublicKey):
        return "ps256"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    raise InputError(f"{path}: a key of another kind than ECDSA, RSA and Ed25519 cannot sign")
