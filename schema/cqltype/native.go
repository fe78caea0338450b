package cqltype

import "strings"

// The native types.
var (
	TypeASCII     = native(KindASCII, -1, textCodec{ascii: true})
	TypeBigint    = native(KindBigint, 8, bigintCodec)
	TypeBlob      = native(KindBlob, -1, blobCodec{})
	TypeBoolean   = native(KindBoolean, 1, booleanCodec{})
	TypeCounter   = native(KindCounter, -1, counterCodec)
	TypeDate      = native(KindDate, -1, dateCodec{fixed{size: 4}})
	TypeDecimal   = native(KindDecimal, -1, decimalCodec{})
	TypeDouble    = native(KindDouble, 8, doubleCodec{})
	TypeDuration  = native(KindDuration, -1, durationCodec{})
	TypeFloat     = native(KindFloat, 4, floatCodec{})
	TypeInet      = native(KindInet, -1, inetCodec{})
	TypeInt       = native(KindInt, 4, int32Codec)
	TypeSmallint  = native(KindSmallint, -1, smallintCodec)
	TypeText      = native(KindText, -1, textCodec{})
	TypeTime      = native(KindTime, -1, timeCodec{fixed{size: 8}})
	TypeTimestamp = native(KindTimestamp, 8, timestampCodec{fixed{8, 0x80}})
	TypeTimeUUID  = native(KindTimeUUID, 16, uuidCodec{time: true})
	TypeTinyint   = native(KindTinyint, -1, tinyintCodec)
	TypeUUID      = native(KindUUID, 16, uuidCodec{})
	TypeVarint    = native(KindVarint, -1, varintCodec{})
)

// nativeTypes is indexed by Kind.
var nativeTypes = [...]*Type{
	KindASCII: TypeASCII, KindBigint: TypeBigint, KindBlob: TypeBlob, KindBoolean: TypeBoolean,
	KindCounter: TypeCounter, KindDate: TypeDate, KindDecimal: TypeDecimal, KindDouble: TypeDouble,
	KindDuration: TypeDuration, KindFloat: TypeFloat, KindInet: TypeInet, KindInt: TypeInt,
	KindSmallint: TypeSmallint, KindText: TypeText, KindTime: TypeTime, KindTimestamp: TypeTimestamp,
	KindTimeUUID: TypeTimeUUID, KindTinyint: TypeTinyint, KindUUID: TypeUUID, KindVarint: TypeVarint,
}

func native(k Kind, size int, c codec) *Type {
	return &Type{kind: k, size: size, name: k.String(), codec: c}
}

// Native returns the native type of kind k, nil when k is not native.
func Native(k Kind) *Type {
	if !k.IsNative() {
		return nil
	}
	return nativeTypes[k]
}

// Lookup returns the native type that CQL calls name, in any case of letters; varchar is another name of text.
func Lookup(name string) (*Type, bool) {
	if strings.EqualFold(name, "varchar") {
		return TypeText, true
	}
	for _, t := range nativeTypes[1:] {
		if strings.EqualFold(name, t.name) {
			return t, true
		}
	}
	return nil, false
}
