package checkout

import (
	"bytes"
	"context"
	"os"
	"sync/atomic"
	"testing"
)

// corpus is the real repositories to test against, beside the repository.
const corpus = "../../../shared/corpus"

// mentionsFlux is what grep looks for, too.
func mentionsFlux(_ string, raw []byte) bool {
	return bytes.Contains(raw, []byte("toolkit.fluxcd.io"))
}

func TestReadCorpus(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("no ../shared/corpus beside the repository")
	}
	var all atomic.Int64
	tree, err := Open(context.Background(), corpus, Options{Keep: func(file string, raw []byte) bool {
		all.Add(1)
		return mentionsFlux(file, raw)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	t.Logf("read %d files, kept %d, noted %d", all.Load(), len(tree.Files()), len(tree.Notes()))
	if all.Load() < 12000 || len(tree.Files()) < 3000 || len(tree.Notes()) != 0 {
		t.Error("not what the corpus holds")
	}
}
