package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLicenses(t *testing.T) {
	for name, c := range map[string]struct{ sbom, says string }{
		"allowed":      {module("good", `"evidence": {"licenses": [{"license": {"id": "MIT"}}, {"license": {"id": "Apache-2.0"}}]}`), ""},
		"the standard": {module("std", `"type": "library"`), ""},
		"asserted":     {module("good", `"licenses": [{"license": {"id": "ISC"}}]`), ""},
		"AGPL":         {module("bad", `"evidence": {"licenses": [{"license": {"id": "AGPL-3.0-only"}}]}`), "bad"},
		"one of two":   {module("bad", `"evidence": {"licenses": [{"license": {"id": "MIT"}}, {"license": {"id": "GPL-3.0"}}]}`), "bad"},
		"unknown":      {module("bad", `"type": "library"`), "bad"},
		"by name":      {module("bad", `"licenses": [{"license": {"name": "Something"}}]`), "bad"},
		"expression":   {module("bad", `"licenses": [{"expression": "MIT OR AGPL-3.0"}]`), "bad"},
		"nothing":      {`{"bomFormat": "CycloneDX", "specVersion": "1.6"}`, "no modules"},
		"no SBOM":      {`{`, "unexpected end"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "sbom.json")
			if err := os.WriteFile(file, []byte(c.sbom), 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err := run(file, &out)
			if (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v and\n%s", err, out.String())
			}
		})
	}
}

// module is an SBOM with one module.
func module(name, more string) string {
	return `{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "` + name + `", "version": "v1", ` + more + `}]}`
}
