"""Mail by SMTP. All mails of an incident are one thread.

What is sent twice has the same Message-ID (RFC 5322 §3.6.4).
"""

import asyncio
import hashlib
import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from anycastle.io.notifiers.port import DeliveryError
from anycastle.io.notifiers.secret import read_secret
from anycastle.io.notifiers.text import plain_text
from anycastle.io.system_words import system_words
from anycastle.model.notify import Mail
from anycastle.response.message import Message
from anycastle.response.signal import Urgency

TIMEOUT_S: Final = 20.0
SUBJECT_MAX: Final = 200
_KEEP: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"


class MailSender:
    """Hands mails to a server, each by a connection of its own, in a thread."""

    def __init__(self, target: Mail) -> None:
        self._target = target

    async def send(self, message: Message) -> None:
        """See `Sender`."""
        password = None if self._target.password_file is None else read_secret(self._target.password_file)
        await asyncio.to_thread(self._send, mail_of(message, self._target), password)

    async def close(self) -> None:
        """See `Sender`."""

    def _send(self, mail: EmailMessage, password: str | None) -> None:
        target = self._target
        place = f"{target.server}:{target.port}"
        try:
            with self._connected() as server:
                if target.user is not None and password is not None:
                    server.login(target.user, password)
                refused = server.send_message(mail, target.sender, list(target.to))
        except smtplib.SMTPAuthenticationError as error:
            raise DeliveryError(f"{place}: it does not let {target.user} in: status {error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            permanent = all(code >= 500 for code in codes)
            told = f"{place}: takes no mail for {', '.join(error.recipients)}: {', '.join(map(str, sorted(codes)))}"
            raise DeliveryError(told, retryable=not permanent) from None
        except smtplib.SMTPResponseException as error:
            said = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
            words = " ".join(said.decode("utf-8", "replace").split())[:200]
            refused_it = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
            told = f"{place}: status {error.smtp_code}: {words}"
            raise DeliveryError(told, retryable=not refused_it) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            words = system_words(error) if isinstance(error, OSError) else str(error)
            raise DeliveryError(f"{place}: {words}") from None
        if refused:
            # Others have it: to send it again would tell them twice, and this one never.
            raise DeliveryError(f"{place}: takes no mail for {', '.join(refused)}; others have it", retryable=False)

    def _connected(self) -> smtplib.SMTP:
        target = self._target
        context = ssl.create_default_context(cafile=target.ca_file)
        if target.tls == "tls":
            return smtplib.SMTP_SSL(target.server, target.port, timeout=TIMEOUT_S, context=context)
        server = smtplib.SMTP(target.server, target.port, timeout=TIMEOUT_S)
        if target.tls == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server


def mail_of(message: Message, target: Mail) -> EmailMessage:
    """Give the mail."""
    mail = EmailMessage()
    mail["From"] = target.sender
    mail["To"] = ", ".join(target.to)
    mail["Subject"] = " ".join(message.headline.split())[:SUBJECT_MAX]
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.at, UTC))
    domain = target.sender.rpartition("@")[2]
    thread = _id(message.incident_key, domain)
    mail["Message-ID"] = _id(f"{message.incident_key}-{message.key}", domain)
    mail["In-Reply-To"] = mail["References"] = thread
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no absence notes
    if message.urgency is Urgency.PAGE and not message.over:
        mail["Importance"] = "high"  # RFC 4021 §2.1.24
    mail.set_content(plain_text(message))
    return mail


def _id(text: str, domain: str) -> str:
    """Give a message's identity; two texts that look alike once cleaned are still two."""
    clean = "".join(each if each in _KEEP else "-" for each in text)
    return f"<{clean}.{hashlib.sha256(text.encode()).hexdigest()[:12]}@{domain}>"
