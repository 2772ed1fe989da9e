package cloud

import "fmt"

// Explain wraps an error of a call with what was being done.
func (p *Place) Explain(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
