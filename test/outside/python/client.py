"""Asks the questions on standard input and tells what came back on standard output, with nothing but the standard library.

`client.py http.client URL CA` keeps one connection; `client.py urllib URL CA` makes one for each question.
"""
import hashlib
import http.client
import json
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

mode, base, ca = sys.argv[1:4]
url = urllib.parse.urlsplit(base)
context = ssl.create_default_context(cafile=ca)
sockets = set()


def pieces(body):
    for at in range(0, len(body), 7001):
        yield body[at:at + 7001]


def tell(name, status, headers, body):
    seen = {'name': name, 'status': status, 'headers': {k.lower(): v for k, v in headers}, 'length': len(body),
            'sha256': hashlib.sha256(body).hexdigest()}
    if len(body) < 4096:
        seen['text'] = body.decode('latin-1')
    return seen


def connect():
    if url.scheme == 'https':
        return http.client.HTTPSConnection(url.hostname, url.port, context=context, timeout=20)
    return http.client.HTTPConnection(url.hostname, url.port, timeout=20)


def ask_kept(connection, question, body):
    headers = {}
    if question.get('chunked'):
        connection.request(question['method'], question['path'], body=pieces(body), encode_chunked=True,
                           headers={'Transfer-Encoding': 'chunked'})
    else:
        connection.request(question['method'], question['path'], body=body, headers=headers)
    sockets.add(connection.sock.getsockname())
    answer = connection.getresponse()
    return answer.status, answer.getheaders(), answer.read()


def ask_urllib(opener, question, body):
    request = urllib.request.Request(base + question['path'], method=question['method'],
                                     data=pieces(body) if question.get('chunked') else body)
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, answer.getheaders(), answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, list(answer.headers.items()), answer.read()


connection = connect() if mode == 'http.client' else None
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
results = []
for question in json.load(sys.stdin):
    body = open(question['body'], 'rb').read() if question.get('body') else None
    if mode == 'http.client':
        results.append(tell(question['name'], *ask_kept(connection, question, body)))
    else:
        results.append(tell(question['name'], *ask_urllib(opener, question, body)))
json.dump({'seen': results, 'connections': len(sockets)}, sys.stdout)
