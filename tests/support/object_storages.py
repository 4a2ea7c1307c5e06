"""Servers that speak the protocols of the object storages: moto for S3, Azurite for Azure, S3's XML for Google's."""

import base64
import hashlib
import hmac
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import pytest
import urllib3

from tests.support.http_proxy import Fault, HttpProxy, Request
from trialbook.blobs.accounts import Accounts, AzureAccount, GoogleAccount, S3Account

_AZURE_ACCOUNT = "devstoreaccount1"
_AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Not secret: the account that every emulator of Azure's has."""
_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
)


class ObjectStorage(Protocol):
    """A storage with the means to reach it."""

    url: str

    def make_bucket(self, name: str) -> str:
        """A new, empty bucket; answers its address."""
        ...

    def accounts(self) -> Accounts:
        """What opens it."""
        ...

    def configuration(self) -> str:
        """The same as the text of a configuration file."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class _Process:
    def __init__(self, command: list[str], ready: str) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout is not None
        self.url = ""
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            found = re.search(ready, line)
            if found:
                self.url = found[1]
                break
        if not self.url:
            raise RuntimeError(f"{command} did not start:\n{''.join(lines)}")
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        assert self.process.stdout is not None
        for _ in self.process.stdout:
            pass

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class S3Server(_Process):
    """moto's server: the S3 protocol in memory.

    Args:
        certificate: files of a certificate and its key, for TLS.
    """

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
        if certificate is not None:
            command += ["-c", str(certificate[0]), "-k", str(certificate[1])]
        super().__init__(command, r"Running on (https?://127\.0\.0\.1:\d+)")
        self.host = self.url.partition("://")[2]
        bundle = str(certificate[0]) if certificate is not None else None
        self._http = urllib3.PoolManager(ca_certs=bundle)

    def make_bucket(self, name: str) -> str:
        reply = self._http.request("PUT", f"{self.url}/{name}", headers={"Authorization": _SIGNED})
        assert reply.status == 200, reply.data
        return f"s3://{self.host}/{name}"

    def accounts(self) -> Accounts:
        return Accounts(s3=(S3Account(host=self.host, key="test", secret="secret", secure=False),))

    def configuration(self) -> str:
        entry = f'{{ host: "{self.host}", key: "test", secret: "secret", secure: false }}'
        return f"sdk.aws.s3.credentials: [ {entry} ]\n"


class GoogleServer:
    """The S3 server behind a proxy that turns Google's two differences in the XML protocol into S3's."""

    def __init__(self) -> None:
        self._s3 = S3Server()
        self._proxy = HttpProxy(self._s3.url, self._as_s3)
        self.url = self._proxy.url

    def make_bucket(self, name: str) -> str:
        self._s3.make_bucket(name)
        return f"gs://{name}"

    def accounts(self) -> Accounts:
        return Accounts(google=(GoogleAccount(endpoint=self.url, anonymous=True),))

    def configuration(self) -> str:
        return f'sdk.google.storage {{ endpoint: "{self.url}", anonymous: true }}\n'

    def _as_s3(self, request: Request) -> Fault | None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers["authorization"] = _SIGNED
        request.path = request.path.replace("%2F", "/")
        absent = headers.pop("x-goog-if-generation-match", None) == "0"
        if absent:
            headers["if-none-match"] = "*"
        if "x-goog-copy-source" in headers:
            headers["x-amz-copy-source"] = headers.pop("x-goog-copy-source")
            there = urllib3.request("HEAD", self._s3.url + request.path, headers={"Authorization": _SIGNED})
            # moto copies without asking for the condition.
            if absent and there.status == 200:
                return Fault(412)
        request.headers = headers
        return None

    def stop(self) -> None:
        self._proxy.close()
        self._s3.stop()


class AzureServer(_Process):
    """Azurite: the Azure Blob protocol in memory. It checks signatures."""

    def __init__(self) -> None:
        binary = find_azurite()
        assert binary is not None
        super().__init__(
            [
                binary,
                "--blobPort",
                "0",
                "--inMemoryPersistence",
                "--skipApiVersionCheck",
                "--disableTelemetry",
            ],
            r"listens on (http://127\.0\.0\.1:\d+)",
        )

    def make_bucket(self, name: str) -> str:
        date = formatdate(usegmt=True)
        text = (
            f"PUT{chr(10) * 12}x-ms-date:{date}\nx-ms-version:2021-08-06\n"
            f"/{_AZURE_ACCOUNT}/{_AZURE_ACCOUNT}/{name}\nrestype:container"
        )
        signature = hmac.new(base64.b64decode(_AZURE_KEY), text.encode(), hashlib.sha256).digest()
        reply = urllib3.request(
            "PUT",
            f"{self.url}/{_AZURE_ACCOUNT}/{quote(name)}?restype=container",
            headers={
                "x-ms-date": date,
                "x-ms-version": "2021-08-06",
                "Authorization": f"SharedKey {_AZURE_ACCOUNT}:{base64.b64encode(signature).decode()}",
                "Content-Length": "0",
            },
        )
        assert reply.status == 201, reply.data
        return f"azure://{_AZURE_ACCOUNT}.blob.core.windows.net/{name}"

    def accounts(self) -> Accounts:
        endpoint = f"{self.url}/{_AZURE_ACCOUNT}"
        return Accounts(azure=(AzureAccount(_AZURE_ACCOUNT, _AZURE_KEY, endpoint=endpoint),))

    def configuration(self) -> str:
        return (
            f'sdk.azure.storage.containers: [ {{ account_name: "{_AZURE_ACCOUNT}", account_key: "{_AZURE_KEY}", '
            f'endpoint: "{self.url}/{_AZURE_ACCOUNT}" }} ]\n'
        )


class Storages:
    """The object storages that tests of a process share, each started when one first wants it. A bucket of them has a
    name of its own."""

    def __init__(self) -> None:
        self._running: dict[str, ObjectStorage] = {}

    def __getitem__(self, kind: str) -> ObjectStorage:
        """``s3``, ``gs`` or ``azure``; without Azurite the test is skipped."""
        if kind == "azure" and find_azurite() is None:
            pytest.skip("Azurite is not installed (npm install --prefix tests/support)")
        if kind not in self._running:
            starts: dict[str, Callable[[], ObjectStorage]] = {
                "s3": S3Server,
                "gs": GoogleServer,
                "azure": AzureServer,
            }
            self._running[kind] = starts[kind]()
        return self._running[kind]

    def stop(self) -> None:
        """Stop those that run."""
        for storage in self._running.values():
            storage.stop()


def find_azurite() -> str | None:
    """The program, on the path or where ``make test`` puts it; None when it is not installed."""
    beside = Path(__file__).parent / "node_modules" / ".bin" / "azurite-blob"
    return shutil.which("azurite-blob") or (str(beside) if beside.exists() else None)
