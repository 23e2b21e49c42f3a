"""A service that tells as JSON what Python's standard library reads in each request: http.server, urllib, json, email, and cgi where it is.

With --bodies it reads bodies from its standard input instead, each a line of JSON: type and base64. Otherwise it prints its port. GET on its own port with the field X-Count says how many requests came.
"""

import base64
import email.parser
import email.policy
import http.client
import http.server
import io
import json
import sys
import threading
import urllib.parse
import warnings

warnings.simplefilter("ignore")
try:
    import cgi
except ImportError:  # gone since Python 3.13
    cgi = None


def encoded(data):
    return base64.b64encode(data).decode()


def multipart_by_email(kind, body):
    head = b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n"
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    if not message.is_multipart():
        if message.get_payload() == "":
            return []
        raise ValueError("no multipart")
    return [part_of_email(part) for part in message.iter_parts()]


def part_of_email(part):
    if part.is_multipart():
        raise ValueError("a part with parts")
    name = part.get_param("name", header="content-disposition")
    return [name, part.get_filename(), encoded(part.get_payload(decode=True))]


def multipart_by_cgi(kind, body):
    environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body))}
    form = cgi.FieldStorage(fp=io.BytesIO(body), environ=environ, keep_blank_values=True, errors="surrogateescape")
    return [part_of_cgi(part) for part in form.list or []]


def part_of_cgi(part):
    value = part.value if isinstance(part.value, bytes) else part.value.encode("utf-8", "surrogateescape")
    return [part.name, part.filename, encoded(value)]


def read_body(headers, body):
    """Readings by name; None where the parser refuses."""
    if not body:
        return "none", {"none": ""}
    if headers.get("content-type") is None:
        return "bytes", {"bytes": encoded(body)}
    kind = headers.get_content_type()
    charset = headers.get_content_charset("utf-8")
    if kind in ("application/json", "text/json") or kind.endswith("+json"):
        return "json", {"json": tried(lambda: {"value": json.loads(body)})}
    if kind == "application/x-www-form-urlencoded":
        text = tried(lambda: body.decode(charset))
        return "form", {"parse_qsl": tried(lambda: urllib.parse.parse_qsl(text, keep_blank_values=True))}
    if kind == "multipart/form-data":
        readings = {"email": tried(lambda: multipart_by_email(headers["content-type"], body))}
        if cgi is not None:
            readings["cgi"] = tried(lambda: multipart_by_cgi(headers["content-type"], body))
        return "multipart", readings
    if headers.get_content_maintype() == "text":
        return "text", {"text": tried(lambda: body.decode(charset))}
    return "bytes", {"bytes": encoded(body)}


def tried(read):
    try:
        return read()
    except Exception:
        return None


class Reader(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    count = 0

    def answer(self):
        if self.headers.get("x-count"):
            return self.tell({"count": Reader.count})
        Reader.count += 1
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = urllib.parse.urlsplit(self.path)
        kind, readings = read_body(self.headers, body)
        return self.tell(
            {
                "method": self.command,
                "target": self.path,
                "path": urllib.parse.unquote(parts.path),
                "query": urllib.parse.parse_qsl(parts.query, keep_blank_values=True),
                "headers": [[name.lower(), value] for name, value in self.headers.items()],
                "kind": kind,
                "readings": readings,
            }
        )

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def tell(self, what):
        text = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def read_bodies():
    for line in sys.stdin:
        kind, body = json.loads(line)
        headers = email.parser.Parser(_class=http.client.HTTPMessage).parsestr("Content-Type: " + kind + "\r\n\r\n")
        print(json.dumps(read_body(headers, base64.b64decode(body))))


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Reader)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    # Ends with whoever started it.
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if "--bodies" in sys.argv:
    read_bodies()
else:
    serve()
