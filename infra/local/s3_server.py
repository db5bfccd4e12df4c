"""An S3-compatible server over a local folder: buckets are folders, objects are files. Requests must be signed."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from infra.local import paths
from infra.local.endpoints import ACCESS_KEY, BUCKET, SECRET_KEY
from infra.local.ports import HOST

START_SECONDS = 90.0
HEAP_MEGABYTES = 256
LOGGING = """<configuration>
  <appender name="console" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %-5level %msg \\(%logger\\)%n</pattern></encoder>
  </appender>
  <root level="warn"><appender-ref ref="console"/></root>
</configuration>
"""


def prepare(directory: Path, port: int) -> list[str]:
    """Write the configuration, make the bucket's folder, and return the server's command line."""
    objects = directory / "objects"
    (objects / BUCKET).mkdir(parents=True, exist_ok=True)
    (directory / "logback.xml").write_text(LOGGING)
    settings = {
        "s3proxy.endpoint": f"http://{HOST}:{port}",
        "s3proxy.authorization": "aws-v2-or-v4",
        "s3proxy.identity": ACCESS_KEY,
        "s3proxy.credential": SECRET_KEY,
        "jclouds.provider": "filesystem",
        "jclouds.filesystem.basedir": str(objects),
    }
    configuration = directory / "s3proxy.properties"
    configuration.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    options = [f"-Xmx{HEAP_MEGABYTES}m", "-XX:+UseSerialGC", f"-Dlogback.configurationFile={directory / 'logback.xml'}"]
    program = ["-cp", f"{paths.JARS / 's3'}/*", "org.gaul.s3proxy.Main", "--properties", str(configuration)]
    return [str(paths.java_home() / "bin" / "java"), *options, *program]


def is_ready(endpoint: str) -> bool:
    """Whether the server speaks S3: it answers, and refuses an unsigned request."""
    try:
        urllib.request.urlopen(f"{endpoint}/{BUCKET}", timeout=2)
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    except OSError:
        return False
    return True
