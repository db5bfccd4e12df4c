"""Kafka and Redis as an attacker meets them: TLS, logins, and the rights of the examples in infra/security. Certificates are made anew."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import ssl
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, AdminClient, ResourcePatternType, ResourceType
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.local import environment, kafka, ports, processes, redis_server
from infra.local.ports import HOST
from tests.support.documents import ROOT

FOLDER = ROOT / "infra" / "security"
BROKER = "broker"
RIGHTS: dict[str, dict[str, dict[str, list[str]]]] = tomllib.loads((FOLDER / "kafka-acls.toml").read_text())
RESOURCES = {"topics": ResourceType.TOPIC, "groups": ResourceType.GROUP, "transactions": ResourceType.TRANSACTIONAL_ID}
OPERATIONS = {"read": AclOperation.READ, "write": AclOperation.WRITE, "create": AclOperation.CREATE}
ANSWER_SECONDS = 30.0
_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


@dataclass(frozen=True)
class Certificates:
    """Files in PEM: an authority, and a key with its certificate for 127.0.0.1."""

    authority: Path
    server: Path


def make_certificates(folder: Path, name: str = "authority") -> Certificates:
    authority_key, authority = _certificate("Tickflow test authority", None, None)
    key, certificate = _certificate(HOST, authority_key, authority)
    paths = Certificates(folder / f"{name}.pem", folder / f"{name}-server.pem")
    paths.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    paths.server.touch(mode=0o600)
    paths.server.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return paths


def _certificate(
    name: str, issuer_key: ec.EllipticCurvePrivateKey | None, issuer: x509.Certificate | None
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
    )
    return key, builder.sign(issuer_key or key, hashes.SHA256())


@dataclass(frozen=True)
class SecureKafka:
    """A broker that talks to nobody without TLS and a login."""

    bootstrap: str
    certificates: Certificates
    passwords: Mapping[str, str]
    """User -> password: the programs of RIGHTS, and the broker itself."""
    folder: Path

    def properties(self, user: str, password: str | None = None) -> dict[str, str]:
        """librdkafka's, for one user."""
        return {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": user,
            "sasl.password": self.passwords[user] if password is None else password,
            "ssl.ca.location": str(self.certificates.authority),
            "log_level": "0",
        }

    def log_in(self, user: str, patch: pytest.MonkeyPatch) -> None:
        """Let the programs of this process be that user."""
        for name, value in self.variables(user).items():
            patch.setenv(name, value)

    def variables(self, user: str) -> dict[str, str]:
        """The settings of a program that logs in as this user."""
        return {
            "TICKFLOW_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "TICKFLOW_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "TICKFLOW_KAFKA__SASL_MECHANISM": "PLAIN",
            "TICKFLOW_KAFKA__TRUSTSTORE": str(self.certificates.authority),
            "TICKFLOW_KAFKA_USERNAME": user,
            "TICKFLOW_KAFKA_PASSWORD": self.passwords[user],
        }


@contextmanager
def secure_kafka(folder: Path) -> Iterator[SecureKafka]:
    """A broker with TLS and logins on every listener, and the rights of infra/security; it ends with the block."""
    chosen = ports.choose(["kafka", "kafka_controller"], folder / "ports.json")
    passwords = {user: secrets.token_urlsafe(24) for user in (BROKER, *RIGHTS)}
    found = SecureKafka(f"{HOST}:{chosen['kafka']}", make_certificates(folder), passwords, folder)
    configuration = folder / "server.properties"
    configuration.touch(mode=0o600)
    properties = kafka.properties(folder, chosen["kafka"], chosen["kafka_controller"]) | _secured(found, chosen)
    configuration.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    (folder / "log4j2.properties").write_text(kafka.LOGGING)
    kafka.format_storage(folder, configuration)
    command = kafka.java("kafka.Kafka", [str(configuration)], folder)
    program = processes.start("kafka", command, folder / "log" / "kafka.log", environment.program_environment(), detached=False)
    try:
        processes.wait_until(lambda: _answers(found), program, kafka.START_SECONDS)
        grant(found)
        yield found
    finally:
        processes.stop([program])


def _secured(found: SecureKafka, chosen: Mapping[str, int]) -> dict[str, str]:
    users = " ".join(f'user_{user}="{password}"' for user, password in found.passwords.items())
    login = f'{_LOGIN} username="{BROKER}" password="{found.passwords[BROKER]}" {users};'
    return {
        "listeners": f"SASL_SSL://{HOST}:{chosen['kafka']},CONTROLLER://{HOST}:{chosen['kafka_controller']}",
        "advertised.listeners": f"SASL_SSL://{found.bootstrap}",
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:SASL_SSL",
        "inter.broker.listener.name": "SASL_SSL",
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": login,
        "listener.name.controller.plain.sasl.jaas.config": login,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(found.certificates.server),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(found.certificates.authority),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{BROKER}",
    }


def _answers(found: SecureKafka) -> bool:
    try:
        AdminClient(found.properties(BROKER)).list_topics(timeout=2.0)
    except KafkaException:
        return False
    return True


def grant(found: SecureKafka) -> None:
    """The rights of the example, and no other."""
    wanted = {
        (kind, pattern, user, operation)
        for user, kinds in RIGHTS.items()
        for kind, operations in kinds.items()
        for name, patterns in operations.items()
        for operation in (OPERATIONS[name], AclOperation.DESCRIBE)
        for pattern in patterns
    }
    rules = [_binding(kind, pattern, user, operation) for kind, pattern, user, operation in wanted]
    client = AdminClient(found.properties(BROKER))
    for done in client.create_acls(rules).values():
        done.result(ANSWER_SECONDS)


def _binding(kind: str, pattern: str, user: str, operation: AclOperation) -> AclBinding:
    name, how = pattern.removesuffix("*") or "*", _how(pattern)
    return AclBinding(RESOURCES[kind], name, how, f"User:{user}", "*", operation, AclPermissionType.ALLOW)


def _how(pattern: str) -> ResourcePatternType:
    return ResourcePatternType.PREFIXED if pattern.endswith("*") and pattern != "*" else ResourcePatternType.LITERAL


@contextmanager
def secure_redis(folder: Path, certificates: Certificates) -> Iterator[dict[str, str]]:
    """User -> address of a Redis with the users of infra/security, behind TLS: the installed server cannot speak it itself."""
    chosen = ports.choose(["redis"], folder / "redis-ports.json")
    passwords = {user: secrets.token_urlsafe(24) for user in ("online-store", "reader")}
    users = (FOLDER / "redis-users.acl").read_text()
    for user, password in passwords.items():
        users = users.replace(f"{user.replace('-', '_').upper()}_PASSWORD", password)
    users = "".join(line + "\n" for line in users.splitlines() if line.startswith("user "))
    (folder / "users.acl").write_text(users)
    command = [*redis_server.prepare(folder / "redis", chosen["redis"]), "--aclfile", str(folder / "users.acl")]
    program = processes.start("redis", command, folder / "log" / "redis.log", environment.program_environment(), detached=False)
    own = f"redis://reader:{passwords['reader']}@{HOST}:{chosen['redis']}/0"
    try:
        processes.wait_until(lambda: redis_server.is_ready(own), program, redis_server.START_SECONDS)
        with tls_in_front_of(chosen["redis"], certificates) as port:
            ending = f"@{HOST}:{port}/0?ssl_ca_certs={certificates.authority}"
            yield {user: f"rediss://{user}:{password}{ending}" for user, password in passwords.items()} | {"plain": str(chosen["redis"])}
    finally:
        processes.stop([program])


@contextmanager
def tls_in_front_of(port: int, certificates: Certificates) -> Iterator[int]:
    """A port that speaks TLS and passes on to one that does not, as stunnel does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server)
    with socket.create_server((HOST, 0)) as listener:
        threading.Thread(target=_accept, args=(listener, context, port), daemon=True).start()
        yield int(listener.getsockname()[1])


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_pass_on, args=(client, context, port), daemon=True).start()


def _pass_on(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError), context.wrap_socket(client, server_side=True) as outer, socket.create_connection((HOST, port)) as inner:
        back = threading.Thread(target=_copy, args=(inner, outer), daemon=True)
        back.start()
        _copy(outer, inner)
        inner.shutdown(socket.SHUT_RDWR)
        back.join()


def _copy(source: Any, target: Any) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)


def connected(url: str) -> Any:
    return redis.Redis.from_url(url, socket_timeout=5.0, socket_connect_timeout=5.0)
