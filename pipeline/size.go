package pipeline

import "fmt"

// Size is a number of bytes the way that people say it: "244.2 kB".
func Size(bytes int64) string {
	switch n := float64(bytes); {
	case n < 1e3:
		return fmt.Sprintf("%d B", bytes)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", n/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", n/1e6)
	default:
		return fmt.Sprintf("%.1f GB", n/1e9)
	}
}
