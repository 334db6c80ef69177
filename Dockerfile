# The image holds one static binary and a user database with one line: no shell, no package, no root.
#
#   docker build .                                                   builds the binary in a container
#   make build && docker build --build-arg BINARY=prebuilt .         takes bin/, and pulls no base image
#   make dist && docker build --build-arg BINARY=released .          takes that of the platform, for --platform linux/amd64,linux/arm64
ARG BINARY
ARG BUILDER=docker.io/library/golang:1.26

FROM ${BUILDER} AS built
ARG VERSION=unknown
ARG COMMIT=unknown
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY fn fn
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -o /migrate-to-flux-operator -ldflags \
    "-s -w -X migrate-to-flux-operator/fn/command.version=${VERSION} -X migrate-to-flux-operator/fn/command.revision=${COMMIT}" ./fn

FROM scratch AS prebuilt
COPY bin/migrate-to-flux-operator /migrate-to-flux-operator

FROM scratch AS released
ARG TARGETARCH
COPY bin/linux/${TARGETARCH}/migrate-to-flux-operator /migrate-to-flux-operator

# The default stands here, because buildah 1.28 loses the stage that only an ARG's default names.
FROM ${BINARY:-built} AS binary

FROM scratch AS final
ARG VERSION=unknown
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="migrate-to-flux-operator" \
      org.opencontainers.image.description="KRM function that migrates a classic Flux install to Flux Operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
# kpt and kustomize run functions as nobody, by name.
COPY .ci/passwd /etc/passwd
COPY --from=binary /migrate-to-flux-operator /usr/local/bin/migrate-to-flux-operator
USER 65534:65534
ENTRYPOINT ["/usr/local/bin/migrate-to-flux-operator"]
