/// Returns the xxHash64 of the bytes with seed 0, as printed by `xxhsum -H1`. It detects corruption, not tampering
/// (Collet, the XXH64 specification).
public func xxHash64(_ bytes: RawSpan) -> UInt64 {
  let count = bytes.byteCount
  var offset = 0
  var hash: UInt64
  if count >= 32 {
    var lanes = (prime1 &+ prime2, prime2, UInt64(0), 0 &- prime1)
    while offset + 32 <= count {
      lanes.0 = round(lanes.0, word(bytes, offset))
      lanes.1 = round(lanes.1, word(bytes, offset + 8))
      lanes.2 = round(lanes.2, word(bytes, offset + 16))
      lanes.3 = round(lanes.3, word(bytes, offset + 24))
      offset += 32
    }
    hash = rotate(lanes.0, 1) &+ rotate(lanes.1, 7) &+ rotate(lanes.2, 12) &+ rotate(lanes.3, 18)
    for lane in [lanes.0, lanes.1, lanes.2, lanes.3] { hash = (hash ^ round(0, lane)) &* prime1 &+ prime4 }
  } else {
    hash = prime5
  }
  hash &+= UInt64(count)
  while offset + 8 <= count {
    hash = rotate(hash ^ round(0, word(bytes, offset)), 27) &* prime1 &+ prime4
    offset += 8
  }
  if offset + 4 <= count {
    let half = UInt64(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian)
    hash = rotate(hash ^ (half &* prime1), 23) &* prime2 &+ prime3
    offset += 4
  }
  while offset < count {
    let byte = UInt64(unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
    hash = rotate(hash ^ (byte &* prime5), 11) &* prime1
    offset += 1
  }
  hash = (hash ^ (hash >> 33)) &* prime2
  hash = (hash ^ (hash >> 29)) &* prime3
  return hash ^ (hash >> 32)
}

/// Returns the xxHash64 of an array of bytes.
public func xxHash64(_ bytes: [UInt8]) -> UInt64 { unsafe xxHash64(bytes.span.bytes) }

private let prime1: UInt64 = 0x9e37_79b1_85eb_ca87
private let prime2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
private let prime3: UInt64 = 0x1656_67b1_9e37_79f9
private let prime4: UInt64 = 0x85eb_ca77_c2b2_ae63
private let prime5: UInt64 = 0x27d4_eb2f_1656_67c5

private func rotate(_ word: UInt64, _ bits: UInt64) -> UInt64 { (word << bits) | (word >> (64 - bits)) }

private func round(_ lane: UInt64, _ word: UInt64) -> UInt64 { rotate(lane &+ word &* prime2, 31) &* prime1 }

private func word(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
  unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
}
