package ring

import (
	"encoding/hex"
	"testing"
)

// The tokens are what token(k) gives in Cassandra 5.0 for blobs.
func TestTokenOf(t *testing.T) {
	check := func(key string, want Token) {
		t.Helper()
		k, err := hex.DecodeString(key)
		if err != nil {
			t.Fatal(err)
		}
		if got := TokenOf(k); got != want {
			t.Errorf("TokenOf(%s) = %d, want %d", key, got, want)
		}
	}
	check("", MinToken)
	check("6aaeb94bae8d", -9046633437269666345)
	check("61", -8839064797231613815)
	check("3031323334353637383961626364656667", -8200385122730116642)
	check("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0dfdedddcdbdad9d8d7d6d5d4d3d2d1d0cfcecdcccbcac9", -7898214181880734519)
	check("8080808080808080808080808080808080", -7492040465024918340)
	check("8bb820b6119cba8ff88796ae5b05f280a68ced93b6b28cb0d1b358e6baab4855", -6428565645118772546)
	check("808080808080808080808080808080", -5979218241483680930)
	check("616263", -5434086359492102041)
	check("ff", -4442228696663692417)
	check("80808080808080808080808080808080", -3634615257541804556)
	check("b9f49028d557d79a8a0e6451e1", -1342474443973155943)
	check("48e856e8f9a2f58c95f0ce4b39c15bffad5c2d", -1324001386899132421)
	check("705c15f173541b4438a25cf7", -427180593600649264)
	check("94a065685d64c4980bb8d4", 46284680254088166)
	check("616c6c656e2d70", 4969720492480243829)
	check("00", 5048724184180415669)
	check("30313233343536373839616263646566", 5467490433528156583)
	check("c7512447e3404300026b6e54", 7091671384124874403)
	check("2f9fa29c5a284c9ef7521829cf1079b080e9d74a1c10fcab6a4243d33656debe4c1ed7", 8696220843708030942)
}

func BenchmarkTokenOf(b *testing.B) {
	key := []byte("a-user@example.com")
	b.ReportAllocs()
	for b.Loop() {
		TokenOf(key)
	}
}
