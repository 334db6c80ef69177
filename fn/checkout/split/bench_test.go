package split

import "testing"

// BenchmarkSniff reads the heads of the documents of the corpus.
func BenchmarkSniff(b *testing.B) {
	var docs [][]byte
	size := int64(0)
	eachFile(b, func(_ string, file []byte) {
		for _, d := range Split(file) {
			docs = append(docs, file[d.Body:d.End])
			size += int64(d.End - d.Body)
		}
	})
	b.SetBytes(size)
	for b.Loop() {
		for _, doc := range docs {
			Sniff(doc)
		}
	}
}
