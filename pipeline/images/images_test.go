package images_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mlmax/mlmax/pipeline/images"
)

func ExampleLookup() {
	i, ok := images.Lookup("sklearn:1.4-2")
	account, _ := images.Account(i.Framework, "eu-west-1")
	fmt.Println(ok, account, i.Repository+":"+i.Tag, "Python", i.Python)
	// Output: true 141502667606 sagemaker-scikit-learn:1.4-2-cpu-py3 Python 3.10
}

func TestNames(t *testing.T) {
	t.Parallel()
	want := []string{"sklearn:0.20.0", "sklearn:0.23-1", "sklearn:1.0-1", "sklearn:1.2-1", "sklearn:1.4-2", "sklearn:1.4-2-py312"}
	if diff := cmp.Diff(want, images.Names()); diff != "" {
		t.Error(diff)
	}
	if i, ok := images.Lookup("sklearn:9"); ok {
		t.Errorf("an unknown image was found: %v", i)
	}
}

// TestSets: every image has, for each Python from its own or 3.9, whichever is older,
// to 3.14, a complete sorted set of exact pins; its own Python's is exact, and holds
// what it pins.
func TestSets(t *testing.T) {
	t.Parallel()
	pin := regexp.MustCompile(`^[a-z0-9-]+==[0-9][0-9a-z.]*$`)
	for _, name := range images.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i, _ := images.Lookup(name)
			want := []string{"3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"}
			if own := slices.Index(want, i.Python); own > 0 {
				want = want[min(own, slices.Index(want, "3.9")):]
			}
			if diff := cmp.Diff(want, i.Pythons()); diff != "" {
				t.Error(diff)
			}
			for _, python := range i.Pythons() {
				pins, exact, ok := i.For(python)
				if !ok || exact != (python == i.Python) {
					t.Errorf("For(%q): exact %v, ok %v", python, exact, ok)
				}
				if !slices.IsSorted(pins) || slices.ContainsFunc(pins, func(p string) bool { return !pin.MatchString(p) }) {
					t.Errorf("For(%q): not sorted exact pins: %q", python, pins)
				}
				for _, p := range []string{"scikit-learn", "numpy", "scipy", "pandas", "joblib", "threadpoolctl"} {
					if p == "threadpoolctl" && slices.ContainsFunc(pins, func(q string) bool { return strings.HasPrefix(q, "scikit-learn==0.2") && q < "scikit-learn==0.23" }) {
						continue // it came with scikit-learn 0.23
					}
					if !slices.ContainsFunc(pins, func(q string) bool { return strings.HasPrefix(q, p+"==") }) {
						t.Errorf("For(%q): no %s", python, p)
					}
				}
			}
			for _, p := range i.Pinned {
				if !slices.ContainsFunc(i.Packages, func(q string) bool { return strings.HasPrefix(q, p+"==") }) {
					t.Errorf("pinned package %s is not in the image's own set", p)
				}
			}
			if pins, _, ok := i.For("3.6"); ok {
				t.Errorf("Python 3.6 has a set: %q", pins)
			}
		})
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	regions := images.Regions()
	if len(regions) != 37 || !slices.IsSorted(regions) {
		t.Errorf("got %d Regions, want 37, sorted: %q", len(regions), regions)
	}
	account := regexp.MustCompile(`^[0-9]{12}$`)
	for _, r := range regions {
		if a, ok := images.Account("sklearn", r); !ok || !account.MatchString(a) {
			t.Errorf("Account(sklearn, %s) = %q, %v", r, a, ok)
		}
	}
	for _, c := range []struct {
		region, account, partition string
		ok                         bool
	}{
		{"eu-west-1", "141502667606", "aws", true},
		{"us-west-2", "246618743249", "aws", true},
		{"ap-southeast-3", "951798379941", "aws", true},
		{"cn-north-1", "450853457545", "aws-cn", true},
		{"us-gov-west-1", "414596584902", "aws-us-gov", true},
		{"us-iso-east-1", "833128469047", "aws-iso", true},
		{"us-isob-east-1", "281123927165", "aws-iso-b", true},
		{"us-isof-south-1", "124985052026", "aws-iso-f", true},
		{"eu-west-9", "", "", false},
	} {
		a, ok := images.Account("sklearn", c.region)
		p, known := images.Partition(c.region)
		if a != c.account || p != c.partition || ok != c.ok || known != c.ok {
			t.Errorf("%s: account %q %v, partition %q %v", c.region, a, ok, p, known)
		}
	}
	if _, ok := images.Account("torch", "eu-west-1"); ok {
		t.Error("an unknown framework has an account")
	}
}
