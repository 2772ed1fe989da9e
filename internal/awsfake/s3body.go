package awsfake

import (
	"bufio"
	"bytes"
	"crypto/md5" // the sum in Content-MD5
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// nvme is the polynomial of the checksum that S3 keeps of whatever comes without one.
const nvme = 0x9a6c9329ac4bc9b5

// algorithms are the checksums that S3 knows, in the order in which they are looked for.
var algorithms = []string{"crc32", "crc32c", "crc64nvme", "sha1", "sha256"}

// checksum is one of a text, in base64.
func checksum(algorithm string, body []byte) string {
	var h hash.Hash
	switch algorithm {
	case "crc32":
		h = crc32.NewIEEE()
	case "crc32c":
		h = crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "crc64nvme":
		h = crc64.New(crc64.MakeTable(nvme))
	case "sha1":
		h = sha1.New()
	case "sha256":
		h = sha256.New()
	default:
		panic("awsfake: no checksum " + algorithm)
	}
	h.Write(body)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// read reads and verifies the body by everything that the request says of it.
func (c *s3Call) read() error {
	r := c.r
	declared := r.Header.Get("x-amz-content-sha256")
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.ContentLength < 0 {
		return s3Refuse(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return s3Refuse(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	trailers := http.Header{}
	if strings.HasPrefix(declared, "STREAMING-") {
		if body, trailers, err = c.chunks(body, declared); err != nil {
			return err
		}
	} else if declared != "" && declared != "UNSIGNED-PAYLOAD" {
		if sum := sha256.Sum256(body); declared != hex.EncodeToString(sum[:]) {
			return s3Refuse(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.",
				"ClientComputedContentSHA256", declared, "S3ComputedContentSHA256", hex.EncodeToString(sum[:]))
		}
	}
	c.body = body
	return c.verify(trailers)
}

// chunks takes apart a body in aws-chunked coding, in which SDKs send a checksum behind the
// content. Signatures of chunks are not verified, like no signature is.
func (c *s3Call) chunks(body []byte, declared string) ([]byte, http.Header, error) {
	broken := s3Refuse(http.StatusBadRequest, "IncompleteBody", "The request body terminated unexpectedly")
	if !strings.Contains(c.r.Header.Get("Content-Encoding"), "aws-chunked") && c.r.Header.Get("x-amz-decoded-content-length") == "" {
		return nil, nil, s3Refuse(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	length, err := strconv.Atoi(c.r.Header.Get("x-amz-decoded-content-length"))
	if err != nil {
		return nil, nil, s3Refuse(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	in := bufio.NewReader(bytes.NewReader(body))
	var content []byte
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, nil, broken
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(size, 16, 64)
		if err != nil || n < 0 || n > int64(len(body)) {
			return nil, nil, broken
		}
		if n == 0 {
			break
		}
		chunk := make([]byte, n+2)
		if _, err := io.ReadFull(in, chunk); err != nil || string(chunk[n:]) != "\r\n" {
			return nil, nil, broken
		}
		content = append(content, chunk[:n]...)
	}
	trailers := http.Header{}
	for {
		line, err := in.ReadString('\n')
		if line = strings.TrimSpace(line); line != "" {
			name, value, ok := strings.Cut(line, ":")
			if !ok {
				return nil, nil, s3Refuse(http.StatusBadRequest, "MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.")
			}
			trailers.Set(name, strings.TrimSpace(value))
		}
		if err != nil {
			break
		}
	}
	if len(content) != length {
		return nil, nil, s3Refuse(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the x-amz-decoded-content-length header")
	}
	if want := c.r.Header.Get("x-amz-trailer"); strings.HasSuffix(declared, "-TRAILER") && (want == "" || trailers.Get(want) == "") {
		return nil, nil, s3Refuse(http.StatusBadRequest, "MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.")
	}
	return content, trailers, nil
}

// verify holds the body against Content-MD5 and the one checksum that came before or
// behind it.
func (c *s3Call) verify(trailers http.Header) error {
	if want := c.r.Header.Get("Content-MD5"); want != "" {
		raw, err := base64.StdEncoding.DecodeString(want)
		if err != nil || len(raw) != md5.Size {
			return s3Refuse(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified was invalid.", "Content-MD5", want)
		}
		if sum := md5.Sum(c.body); !bytes.Equal(raw, sum[:]) {
			return s3Refuse(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.", "ExpectedDigest", want,
				"CalculatedDigest", base64.StdEncoding.EncodeToString(sum[:]))
		}
	}
	c.contentSums = map[string]string{}
	for _, algorithm := range algorithms {
		header := "x-amz-checksum-" + algorithm
		want := c.r.Header.Get(header)
		if want == "" {
			want = trailers.Get(header)
		}
		if want == "" {
			continue
		}
		c.contentSums[algorithm] = want
	}
	if len(c.contentSums) > 1 {
		return s3Refuse(http.StatusBadRequest, "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
	}
	if asked := c.r.Header.Get("x-amz-sdk-checksum-algorithm"); asked != "" && c.contentSums[strings.ToLower(asked)] == "" {
		return s3Refuse(http.StatusBadRequest, "InvalidRequest",
			"x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
	}
	if c.q.Has("uploadId") && c.r.Method == http.MethodPost {
		return nil // the checksum there is the object's, not the body's
	}
	for algorithm, want := range c.contentSums {
		if err := matches(algorithm, want, checksum(algorithm, c.body)); err != nil {
			return err
		}
	}
	return nil
}

// matches refuses a checksum that is none, or another than was computed.
func matches(algorithm, want, have string) error {
	if want == have {
		return nil
	}
	value, _, _ := strings.Cut(want, "-")
	if raw, err := base64.StdEncoding.DecodeString(value); err != nil || base64.StdEncoding.EncodedLen(len(raw)) != len(strings.SplitN(have, "-", 2)[0]) {
		return s3Refuse(http.StatusBadRequest, "InvalidRequest", fmt.Sprintf("Value for x-amz-checksum-%s header is invalid.", algorithm))
	}
	return s3Refuse(http.StatusBadRequest, "BadDigest", fmt.Sprintf("The %s you specified did not match the calculated checksum.", strings.ToUpper(algorithm)))
}
