package offline

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
)

// TestEnforce holds that a process reaches no machine afterwards, not even this one, and finds no program.
func TestEnforce(t *testing.T) {
	for _, name := range []string{"PATH", "TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, os.Getenv(name)) // which puts it back
	}
	transport, client, resolver := http.DefaultTransport, http.DefaultClient, net.DefaultResolver
	t.Cleanup(func() { http.DefaultTransport, http.DefaultClient, net.DefaultResolver = transport, client, resolver })
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	if err := Enforce(); err != nil {
		t.Fatal(err)
	}
	for name, client := range map[string]*http.Client{"a new client, as kustomize has": {}, "the default client": http.DefaultClient} {
		answer, err := client.Get(server.URL)
		if err == nil {
			answer.Body.Close()
		}
		if !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := net.DefaultResolver.LookupHost(t.Context(), "example.com"); err == nil {
		t.Error("a name was looked up")
	}
	if _, err := exec.LookPath("git"); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("git is found: %v", err)
	}
	if dir, err := os.MkdirTemp("", ""); err == nil {
		t.Errorf("%s was made", dir)
	}
	if asked > 0 {
		t.Error("it was asked")
	}
}
