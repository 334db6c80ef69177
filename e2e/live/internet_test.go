package live

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// internet answers for all hosts but this machine, so that the URLs in the repositories stay as they are. It is the
// proxy of the controllers: what they send to a host by https ends here, with a certificate that they trust.
type internet struct {
	proxy     string // its URL
	authority string // the file with the certificate of its authority
	folder    string // the Git repositories, below their hosts
	registry  http.Handler
	secure    *httptest.Server
	// noCharts makes the registry refuse the charts, as one that is down.
	noCharts atomic.Bool
}

// serveInternet starts the proxy on loopback.
func serveInternet(t *testing.T, registry http.Handler) *internet {
	t.Helper()
	i := &internet{folder: t.TempDir(), registry: registry}
	authority, key := newAuthority(t)
	i.authority = filepath.Join(t.TempDir(), "authority.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw})
	if err := writeFile(i.authority, string(block)); err != nil {
		t.Fatal(err)
	}
	i.secure = httptest.NewUnstartedServer(http.HandlerFunc(i.answer))
	i.secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	i.secure.TLS = &tls.Config{GetCertificate: certificates(authority, key)}
	i.secure.StartTLS()
	t.Cleanup(i.secure.Close)
	proxy := httptest.NewServer(http.HandlerFunc(i.forward))
	t.Cleanup(proxy.Close)
	i.proxy = proxy.URL
	return i
}

// forward connects what goes out by https with the one server that answers for all. What goes out by http are events
// for the notification-controller, which it takes: without an answer the operator would try for a quarter of a minute.
func (i *internet) forward(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		return
	}
	upstream, err := net.Dial("tcp", i.secure.Listener.Addr().String())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer upstream.Close()
	client, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	var sent sync.WaitGroup
	sent.Go(func() {
		_, _ = io.Copy(upstream, buffered)
		_ = upstream.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(client, upstream)
	_ = client.Close()
	sent.Wait()
}

// answer is the registry for ghcr.io, and Git for every other host.
func (i *internet) answer(w http.ResponseWriter, r *http.Request) {
	if r.Host != registryHost {
		i.git(r.Host).ServeHTTP(w, r)
		return
	}
	if i.noCharts.Load() && strings.Contains(r.URL.Path, "/charts/") {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	i.registry.ServeHTTP(w, r)
}

// git serves the repositories of a host by Git's own program.
func (i *internet) git(host string) http.Handler {
	programs, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return http.NotFoundHandler()
	}
	return &cgi.Handler{
		Path:   filepath.Join(strings.TrimSpace(string(programs)), "git-http-backend"),
		Env:    []string{"GIT_PROJECT_ROOT=" + filepath.Join(i.folder, host), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1"},
		Stderr: io.Discard,
	}
}

// repository is the folder of the bare repository that a URL names.
func (i *internet) repository(url string) string {
	return filepath.Join(i.folder, filepath.FromSlash(strings.TrimPrefix(url, "https://")))
}

// environment makes a program reach the internet that is answered here.
func (i *internet) environment() []string {
	return []string{"HTTP_PROXY=" + i.proxy, "HTTPS_PROXY=" + i.proxy, "SSL_CERT_FILE=" + i.authority, "SSL_CERT_DIR=" + os.DevNull}
}

// newAuthority makes an authority that signs certificates.
func newAuthority(t *testing.T) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "replay"}, NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := x509.ParseCertificate(signed)
	if err != nil {
		t.Fatal(err)
	}
	return authority, key
}

// certificates signs a certificate for each host that a client asks for.
func certificates(authority *x509.Certificate, key *ecdsa.PrivateKey) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{hello.ServerName}, NotAfter: authority.NotAfter,
		}
		signed, err := x509.CreateCertificate(rand.Reader, template, authority, key.Public(), key)
		return &tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}, err
	}
}
