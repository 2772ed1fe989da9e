package limits

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed zones.txt
var zoneText string

var zones = sync.OnceValue(func() []string { return strings.Fields(zoneText) })

// Zones are the names of the IANA time zones, sorted.
func Zones() []string { return slices.Clone(zones()) }

// IsZone reports whether there is a time zone of the name, such as Europe/Berlin.
func IsZone(name string) bool {
	_, ok := slices.BinarySearch(zones(), name)
	return ok
}
