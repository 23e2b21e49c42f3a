// Asks the questions on standard input and tells what came back on standard output, with net/http.
//
//	main 1 URL CA    HTTP/1.1
//	main 2 URL CA    HTTP/2
package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"time"
)

type question struct {
	Name, Method, Path, Body string
	Chunked                  bool
}

type seen struct {
	Name    string            `json:"name"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Length  int               `json:"length"`
	Sha256  string            `json:"sha256"`
	Text    string            `json:"text"`
}

type result struct {
	Seen        []seen `json:"seen"`
	Protocol    string `json:"protocol"`
	Connections int    `json:"connections"`
}

func main() {
	version, base, ca := os.Args[1], os.Args[2], os.Args[3]
	client := newClient(version, ca)
	var questions []question
	check(json.NewDecoder(os.Stdin).Decode(&questions))
	out := result{}
	for _, q := range questions {
		one, protocol, fresh := ask(client, base, q)
		out.Seen = append(out.Seen, one)
		out.Protocol = protocol
		if fresh {
			out.Connections++
		}
	}
	check(json.NewEncoder(os.Stdout).Encode(out))
}

func newClient(version, ca string) *http.Client {
	pem, err := os.ReadFile(ca)
	check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableCompression: true}
	if version == "2" {
		transport.ForceAttemptHTTP2 = true
	} else {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func ask(client *http.Client, base string, q question) (seen, string, bool) {
	fresh := false
	request, err := http.NewRequest(q.Method, base+q.Path, body(q))
	check(err)
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { fresh = !info.Reused }}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), trace))
	answer, err := client.Do(request)
	check(err)
	defer answer.Body.Close()
	bytes, err := io.ReadAll(answer.Body)
	check(err)
	headers := map[string]string{}
	for name, values := range answer.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	if answer.ContentLength >= 0 {
		headers["content-length"] = fmt.Sprint(answer.ContentLength)
	}
	sum := sha256.Sum256(bytes)
	one := seen{Name: q.Name, Status: answer.StatusCode, Headers: headers, Length: len(bytes), Sha256: hex.EncodeToString(sum[:])}
	if len(bytes) < 4096 {
		one.Text = string(bytes)
	}
	return one, answer.Proto, fresh
}

// A reader of no type that net/http knows has no length.
func body(q question) io.Reader {
	if q.Body == "" {
		return nil
	}
	content, err := os.ReadFile(q.Body)
	check(err)
	if q.Chunked {
		return struct{ io.Reader }{bytes.NewReader(content)}
	}
	return bytes.NewReader(content)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
