package split

import (
	"bytes"

	"migrate-to-flux-operator/fn/plainyaml"
)

// crdKind is the kind of CRDs.
const crdKind = "CustomResourceDefinition"

// WithoutSchemas empties the schemas of the CRDs in a file: most of their bytes, which do not say what a CRD is called
// and serves. A CRD with a variable stays whole, because Flux may substitute it. It tells whether there was any to cut.
func WithoutSchemas(file []byte) (lean []byte, cut bool) {
	if !bytes.Contains(file, []byte(crdKind)) {
		return file, false
	}
	end := 0
	for _, doc := range Split(file) {
		lean = append(lean, file[end:doc.Body]...)
		text := file[doc.Body:doc.End]
		if isCRD(text) && !bytes.Contains(text, []byte("${")) {
			text, cut = withoutSchemas(text), true
		}
		lean, end = append(lean, text...), doc.End
	}
	return append(lean, file[end:]...), cut
}

// isCRD reports whether a document is a CRD without doubt.
func isCRD(doc []byte) bool {
	if !bytes.Contains(doc, []byte(crdKind)) {
		return false
	}
	content, sure := plainyaml.Read(doc)
	return sure && content["kind"] == crdKind
}

// none is the indentation of something that is not there.
const none = -1

// withoutSchemas puts an empty mapping into the place of what stands below each key that is called schema.
func withoutSchemas(doc []byte) []byte {
	out := make([]byte, 0, len(doc)/4)
	at := none
	for line := range bytes.Lines(doc) {
		text := bytes.TrimLeft(line, " -")
		column := len(line) - len(text)
		if at != none && (column > at || len(bytes.TrimSpace(text)) == 0) {
			continue
		}
		at = none
		if bytes.Equal(bytes.TrimSpace(text), []byte("schema:")) {
			at = column
			line = append(line[:column:column], "schema: {}\n"...)
		}
		out = append(out, line...)
	}
	return out
}
