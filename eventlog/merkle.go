package eventlog

import (
	"crypto/sha256"
	"math/bits"
)

// MerkleRoot returns the root of RFC 6962's tree (section 2.1) over the leaf hashes. It uses leaves as scratch space.
// No leaves: the SHA-256 of nothing.
//
// Pairing neighbours level by level and carrying an odd last one up unchanged gives the same tree as the RFC's
// recursive split at the largest power of two.
func MerkleRoot(leaves []Hash) Hash {
	if len(leaves) == 0 {
		return sha256.Sum256(nil)
	}
	for n := len(leaves); n > 1; n = (n + 1) / 2 {
		for i := 0; i+1 < n; i += 2 {
			leaves[i/2] = node(&leaves[i], &leaves[i+1])
		}
		if n%2 == 1 {
			leaves[n/2] = leaves[n-1]
		}
	}
	return leaves[0]
}

// MerkleProof returns the audit path of RFC 6962 (section 2.1.1) for the leaf at place i, nearest node first: with it
// one record is proved to be in a batch without the others. It uses leaves as scratch space. i must be within leaves.
func MerkleProof(leaves []Hash, i int) []Hash {
	proof := make([]Hash, 0, bits.Len(uint(len(leaves)-1)))
	for n := len(leaves); n > 1; n, i = (n+1)/2, i/2 {
		if sibling := i ^ 1; sibling < n {
			proof = append(proof, leaves[sibling])
		}
		for j := 0; j+1 < n; j += 2 {
			leaves[j/2] = node(&leaves[j], &leaves[j+1])
		}
		if n%2 == 1 {
			leaves[n/2] = leaves[n-1]
		}
	}
	return proof
}

// MerkleVerify says whether proof shows that leaf stands at place i of the n leaves under root.
func MerkleVerify(root, leaf Hash, i, n int, proof []Hash) bool {
	at, ok := merkleFold(leaf, i, n, proof)
	return ok && at == root
}

// merkleFold is the root that a proof leads to; ok is false where it does not have the length for this place.
func merkleFold(leaf Hash, i, n int, proof []Hash) (at Hash, ok bool) {
	if i < 0 || i >= n {
		return at, false
	}
	at = leaf
	for ; n > 1; n, i = (n+1)/2, i/2 {
		sibling := i ^ 1
		if sibling >= n {
			continue
		}
		if len(proof) == 0 {
			return at, false
		}
		if sibling < i {
			at = node(&proof[0], &at)
		} else {
			at = node(&at, &proof[0])
		}
		proof = proof[1:]
	}
	return at, len(proof) == 0
}

func node(left, right *Hash) Hash {
	var in [1 + 2*hashLen]byte
	in[0] = nodePrefix
	copy(in[1:], left[:])
	copy(in[1+hashLen:], right[:])
	return sha256.Sum256(in[:])
}
