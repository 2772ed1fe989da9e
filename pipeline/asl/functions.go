package asl

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math"
	"math/rand/v2"
	"slices"
)

// A function is one that Step Functions adds to JSONata, with its name without
// the dollar (Developer Guide, "Transforming data with JSONata"), or one of
// JSONata's own that gnata has otherwise.
type function struct {
	name string
	call func(args []any, focus any) (any, error)
}

// maxRange is the most elements $range returns, as States.ArrayRange.
const maxRange = 1000

func functions(random func() float64, clock Clock) []function {
	return []function{
		{"partition", func(args []any, _ any) (any, error) { return partition(args) }},
		{"range", func(args []any, _ any) (any, error) { return numberRange(args) }},
		{"hash", func(args []any, _ any) (any, error) { return hashOf(args) }},
		{"parse", func(args []any, _ any) (any, error) { return parse(args) }},
		{"uuid", func([]any, any) (any, error) { return uuid(random), nil }},
		{"random", func(args []any, _ any) (any, error) { return randomNumber(args, random) }},
		{"string", stringOf},
		{"millis", func([]any, any) (any, error) { return float64(clock.Now().UnixMilli()), nil }},
	}
}

// arg is the i-th argument, or nil for undefined.
func arg(args []any, i int) any {
	if i < len(args) {
		return args[i]
	}
	return nil
}

// number is a number argument rounded down, as Step Functions does with what
// must be an integer.
func number(args []any, i int, function string) (float64, error) {
	var f float64
	var err error
	switch v := arg(args, i).(type) {
	case float64:
		f = v
	case json.Number:
		f, err = v.Float64()
	default:
		err = errors.New("not a number")
	}
	if err != nil {
		return 0, fmt.Errorf("T0410: Argument %d of function %q must be a number", i+1, function)
	}
	return math.Floor(f), nil
}

func text(args []any, i int, function string) (string, error) {
	s, is := arg(args, i).(string)
	if !is {
		return "", fmt.Errorf("T0410: Argument %d of function %q must be a string", i+1, function)
	}
	return s, nil
}

// partition cuts an array into parts of n.
func partition(args []any) (any, error) {
	list, is := arg(args, 0).([]any)
	if !is {
		if arg(args, 0) == nil {
			return nil, nil
		}
		list = []any{args[0]}
	}
	n, err := number(args, 1, "partition")
	if err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, errors.New("the size of $partition must be 1 or more")
	}
	parts := []any{}
	for part := range slices.Chunk(list, int(min(n, float64(len(list)+1)))) {
		parts = append(parts, slices.Clone(part))
	}
	return parts, nil
}

// numberRange lists the numbers from first to last; a single one is returned
// bare, as JSONata's sequences are.
func numberRange(args []any) (any, error) {
	var bound [3]float64
	for i := range bound {
		f, err := number(args, i, "range")
		if err != nil {
			return nil, err
		}
		bound[i] = f
	}
	first, last, step := bound[0], bound[1], bound[2]
	if step == 0 {
		return nil, errors.New("the step of $range must not be 0")
	}
	if n := (last-first)/step + 1; n > maxRange {
		return nil, fmt.Errorf("$range returns at most %d numbers", maxRange)
	}
	var list []any
	for f := first; (step > 0 && f <= last) || (step < 0 && f >= last); f += step {
		list = append(list, f)
	}
	switch len(list) {
	case 0:
		return nil, nil
	case 1:
		return list[0], nil
	}
	return list, nil
}

func hashOf(args []any) (any, error) {
	data, err := text(args, 0, "hash")
	if err != nil {
		return nil, err
	}
	algorithm, err := text(args, 1, "hash")
	if err != nil {
		return nil, err
	}
	var h hash.Hash
	switch algorithm {
	case "MD5":
		h = md5.New()
	case "SHA-1":
		h = sha1.New()
	case "SHA-256":
		h = sha256.New()
	case "SHA-384":
		h = sha512.New384()
	case "SHA-512":
		h = sha512.New()
	default:
		return nil, fmt.Errorf("$hash knows MD5, SHA-1, SHA-256, SHA-384 and SHA-512, not %q", algorithm)
	}
	h.Write([]byte(data))
	return hex.EncodeToString(h.Sum(nil)), nil
}

func parse(args []any) (any, error) {
	if arg(args, 0) == nil {
		return nil, nil
	}
	s, err := text(args, 0, "parse")
	if err != nil {
		return nil, err
	}
	if !json.Valid([]byte(s)) {
		return nil, errors.New("$parse was given text that is not JSON")
	}
	return decodeJSON(json.RawMessage(s))
}

// uuid is a random UUID of version 4.
func uuid(random func() float64) string {
	var b [16]byte
	for i := range b {
		b[i] = byte(random() * 256)
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// randomNumber returns a number in [0,1): the same for the same seed.
func randomNumber(args []any, random func() float64) (any, error) {
	if arg(args, 0) == nil {
		return random(), nil
	}
	seed, err := number(args, 0, "random")
	if err != nil {
		return nil, err
	}
	return rand.New(rand.NewPCG(uint64(int64(seed)), 0)).Float64(), nil
}
