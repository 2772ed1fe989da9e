package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode"
)

// kebab is a Go name as a flag: "MinROCAUC" is min-rocauc, "HTTPServer" http-server.
func kebab(name string) string {
	runes := []rune(name)
	var b strings.Builder
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) {
			before := runes[i-1]
			ends := unicode.IsUpper(before) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if before != '_' && (!unicode.IsUpper(before) || ends) {
				b.WriteByte('-')
			}
		}
		if r == '_' {
			r = '-'
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// logical is a name that can begin a CloudFormation logical id or substitution:
// letters and digits only. "Machine" and "Schedule" belong to resources of their own.
func logical(name string) string {
	short := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return -1
	}, name)
	if short == name && name != "Machine" && name != "Schedule" {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return short + hex.EncodeToString(sum[:])[:6]
}

// seconds rounds a duration up.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
