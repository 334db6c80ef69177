package command

import (
	"slices"
	"testing"
)

// TestPushes reads calls of flux push artifact as people write them.
func TestPushes(t *testing.T) {
	for _, c := range []struct {
		call, url string
		want      []push
	}{
		{"flux push artifact oci://r.example.com/a/b:latest --path=./deploy --source=x", "oci://r.example.com/a/b", []push{{dir: "deploy"}}},
		{"flux push artifact \"oci://r.example.com/a/b:$(git rev-parse --short HEAD)\" \\\n  --path \"./deploy/\" \\\n  --source=x", "oci://r.example.com/a/b", []push{{dir: "deploy"}}},
		{"flux push artifact oci://r.example.com/${{ github.repository }}/b:x -f .", "oci://r.example.com/a/b", []push{{dir: "."}}},
		{"flux push artifact oci://r.example.com/a/other:x --path=./deploy", "oci://r.example.com/a/b", nil},
		{"flux push artifact oci://r.example.com/a/b:x --path=${DIR}", "oci://r.example.com/a/b", nil},
		{"cd deploy && flux push artifact oci://r.example.com/a/b:x --path=.", "oci://r.example.com/a/b", []push{{dir: ".", elsewhere: true}}},
		{"flux pull artifact oci://r.example.com/a/b:x --path=./deploy", "oci://r.example.com/a/b", nil},
	} {
		all := slices.DeleteFunc(pushesIn("ci.yaml", []byte("a\n- run: "+c.call+"\n")), func(p push) bool { return !p.isOf(c.url) })
		if len(all) != len(c.want) || len(all) == 1 && (all[0].dir != c.want[0].dir || all[0].elsewhere != c.want[0].elsewhere || all[0].line != 2) {
			t.Errorf("%s: %v", c.call, all)
		}
	}
}
