// Package images is the catalogue of SageMaker's framework images: for each the
// repository and tag, the AWS account that owns it in a Region, its Python
// version, and the exactly pinned packages that stand for it on a laptop, by the
// laptop's Python version. A name such as "sklearn:1.4-2" goes in, an [Image]
// comes out. The package reads nothing but its embedded catalogue, asks no
// registry and starts no process; README.md says where each fact is from.
package images

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// An Image is one framework image of SageMaker.
type Image struct {
	// Framework and Version make the name: "sklearn", "1.4-2".
	Framework string `json:"framework"`
	Version   string `json:"version"`
	// Repository and Tag are those in ECR; the registry is
	// ACCOUNT.dkr.ecr.REGION.SUFFIX with the account of [Account].
	Repository string `json:"repository"`
	Tag        string `json:"tag"`
	// Python is the minor version in the image, such as "3.10".
	Python string `json:"python"`
	// Packages are the exact pins that stand for the image under its own Python:
	// "scikit-learn==1.4.2", sorted.
	Packages []string `json:"-"`
	// Pinned names those packages whose versions the image's own build fixes. The
	// versions of the others are this catalogue's choice among those it allows.
	Pinned []string `json:"pinned"`
	// Imports are the modules that scripts written for the image commonly import.
	Imports []string `json:"imports"`
	// Sets are the packages by Python version, from the oldest Python on.
	Sets []Set `json:"sets"`
}

// A Set is the packages that stand for an image under one Python version.
type Set struct {
	// Python is a minor version, such as "3.12".
	Python string `json:"python"`
	// Packages are exact pins, complete with what they depend on, sorted. Each
	// has wheels for that Python on Linux and macOS.
	Packages []string `json:"packages"`
}

// Name is the catalogue's name of the image, such as "sklearn:1.4-2".
func (i Image) Name() string { return i.Framework + ":" + i.Version }

// For returns the pinned packages for a Python minor version such as "3.11".
// It is exact if that is the image's own Python; else the pins are the image's
// where they have wheels for that Python, and the nearest versions that have
// where they do not. It is not ok if the catalogue has no set for that Python.
func (i Image) For(python string) (pins []string, exact, ok bool) {
	for _, s := range i.Sets {
		if s.Python == python {
			return slices.Clone(s.Packages), python == i.Python, true
		}
	}
	return nil, false, false
}

// Pythons lists the Python versions that the image has packages for, the oldest
// first.
func (i Image) Pythons() []string {
	var all []string
	for _, s := range i.Sets {
		all = append(all, s.Python)
	}
	return all
}

// Lookup finds an image by its name, such as "sklearn:1.4-2".
func Lookup(name string) (Image, bool) {
	for _, i := range load().Images {
		if i.Name() == name {
			return i, true
		}
	}
	return Image{}, false
}

// LookupURI finds the image that a URI in ECR names, whoever's registry it is in.
func LookupURI(uri string) (Image, bool) {
	for _, i := range load().Images {
		if strings.HasSuffix(uri, "/"+i.Repository+":"+i.Tag) {
			return i, true
		}
	}
	return Image{}, false
}

// Names lists the names of all images, sorted.
func Names() []string {
	var all []string
	for _, i := range load().Images {
		all = append(all, i.Name())
	}
	slices.Sort(all)
	return all
}

//go:embed catalogue.json
var embedded []byte

type catalogue struct {
	// Accounts are the owners of a framework's repositories: framework, Region,
	// account.
	Accounts map[string]map[string]string `json:"accounts"`
	Images   []Image                      `json:"images"`
}

var load = sync.OnceValue(func() catalogue {
	var c catalogue
	if err := json.Unmarshal(embedded, &c); err != nil {
		panic("images: the embedded catalogue: " + err.Error())
	}
	for n := range c.Images {
		i := &c.Images[n]
		slices.SortFunc(i.Sets, func(a, b Set) int { return minor(a.Python) - minor(b.Python) })
		i.Packages, _, _ = i.For(i.Python)
	}
	return c
})

// minor is the 10 of "3.10": as text, 3.10 would come before 3.9.
func minor(python string) int {
	_, after, _ := strings.Cut(python, ".")
	n, _ := strconv.Atoi(after)
	return n
}
