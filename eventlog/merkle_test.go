package eventlog

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// rfcRoot is RFC 6962, section 2.1, to the letter.
func rfcRoot(leaves []Hash) Hash {
	switch n := len(leaves); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	default:
		k := 1
		for k*2 < n {
			k *= 2
		}
		left, right := rfcRoot(leaves[:k]), rfcRoot(leaves[k:])
		return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
	}
}

func testLeaves(n int) []Hash {
	leaves := make([]Hash, n)
	for i := range leaves {
		leaves[i] = sha256.Sum256([]byte{0, byte(i)})
	}
	return leaves
}

func TestMerkle(t *testing.T) {
	for n := range 70 {
		want := rfcRoot(testLeaves(n))
		if got := MerkleRoot(testLeaves(n)); got != want {
			t.Fatalf("root of %d leaves is %x, want %x", n, got, want)
		}
		for i := range n {
			leaf := testLeaves(n)[i]
			proof := MerkleProof(testLeaves(n), i)
			if !MerkleVerify(want, leaf, i, n, proof) {
				t.Fatalf("leaf %d of %d is not proved", i, n)
			}
			if n > 1 && MerkleVerify(want, leaf, (i+1)%n, n, proof) {
				t.Fatalf("leaf %d of %d is proved at another place", i, n)
			}
			leaf[0] ^= 1
			if MerkleVerify(want, leaf, i, n, proof) || len(proof) > 0 && MerkleVerify(want, testLeaves(n)[i], i, n, proof[1:]) {
				t.Fatalf("leaf %d of %d: a false proof passes", i, n)
			}
		}
	}
	if MerkleVerify(Hash{}, Hash{}, 0, 0, nil) || MerkleVerify(Hash{}, Hash{}, -1, 1, nil) {
		t.Error("a place outside the tree is proved")
	}
}

// TestMerkleVectors are the roots over the leaf data "", 00, 10, 2021, ... that Certificate Transparency's reference
// implementations test with.
func TestMerkleVectors(t *testing.T) {
	var leaves []Hash
	for _, c := range []struct{ data, root string }{
		{"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
		{"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
		{"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
		{"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
	} {
		data, _ := hex.DecodeString(c.data)
		leaves = append(leaves, sha256.Sum256(append([]byte{0}, data...)))
		root := MerkleRoot(append([]Hash(nil), leaves...))
		if got := hex.EncodeToString(root[:]); got != c.root {
			t.Errorf("root of %d leaves is %s, want %s", len(leaves), got, c.root)
		}
	}
}
