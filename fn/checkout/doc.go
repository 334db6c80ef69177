// Package checkout is the edge to a Git checkout: it reads the files of a directory that may hold Kubernetes objects,
// shows planned changes as a file system and as a diff, and writes them all or not at all. Its sub-packages split
// files into documents and edit them by bytes.
package checkout
