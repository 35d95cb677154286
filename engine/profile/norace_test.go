//go:build !race

package profile_test

const raced = false
