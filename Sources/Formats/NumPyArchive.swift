import Core

/// A `.npz` file: named arrays, each a `.npy` file stored in a ZIP archive, as `numpy.savez` writes it.
public struct NumPyArchive: Sendable {
  private let file: MappedFile
  private let members: [ZIPDirectory.Member]

  /// Opens an archive and checks its directory; the arrays are read when they are asked for.
  ///
  /// Throws `WorldError` with the path on anything but a whole archive of stored `.npy` files.
  public init(path: String) throws {
    file = try MappedFile(path: path)
    do { members = try file.withBytes { try ZIPDirectory(of: $0).members } } catch let error as InputError {
      throw WorldError(path: path, error.description)
    }
    if let foreign = members.first(where: { !$0.entry.name.hasSuffix(Self.suffix) }) {
      throw WorldError(path: path, "holds \(foreign.entry.name), which is no .npy file")
    }
  }

  static let suffix = ".npy"

  /// The arrays' names, in the order of the file.
  public var names: [String] { members.map { String($0.entry.name.dropLast(Self.suffix.count)) } }

  /// A copy of one array's numbers, row-major, and its shape.
  ///
  /// Throws `WorldError` with the path where there is no such array, or it is damaged or of another type.
  public func array<Element: NumPyElement>(_ name: String, of type: Element.Type = Element.self) throws
    -> (elements: [Element], shape: [Int])
  {
    guard let member = members.first(where: { $0.entry.name == name + Self.suffix }) else {
      throw WorldError(path: file.path, "has no array '\(name)': it has \(names.joined(separator: ", "))")
    }
    do {
      return try file.withBytes { try Self.array(in: $0.extracting(member.range), crc: member.entry.crc) }
    } catch let error as InputError {
      throw WorldError(path: file.path, "\(member.entry.name) \(error)")
    }
  }

  /// Reads a `.npy` file within an archive.
  static func array<Element: NumPyElement>(in bytes: RawSpan, crc: UInt32) throws -> (elements: [Element], shape: [Int])
  {
    guard CyclicRedundancyCheck.crc32(bytes) == crc else {
      throw InputError("is damaged: its check sum is not that of its bytes")
    }
    let (header, offset) = try NumPyHeader.parse(bytes)
    guard header.type == Element.numPyType else {
      throw InputError("holds \(header.type.rawValue) where \(Element.numPyType.rawValue) is needed")
    }
    let count = (bytes.byteCount - offset) / header.type.size
    let elements = unsafe [Element](unsafeUninitializedCapacity: count) { target, initialized in
      let numbers = bytes.extracting(offset..<bytes.byteCount)
      unsafe numbers.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(target).copyMemory(from: $0) }
      initialized = count
    }
    return (elements, header.shape)
  }
}

/// Writes a `.npz` file array by array, each of any size. The file appears under its name with `commit`; without it
/// nothing remains. The same arrays give the same bytes.
public struct NumPyArchiveWriter: ~Copyable {
  private var file: AtomicFile
  private var offset = 0
  private var entries: [ZIPEntry] = []

  /// Throws `WorldError` with the path and the system's reason, as do all others here.
  public init(path: String) throws { file = try AtomicFile(path: path) }

  /// Adds an array.
  /// - Parameter name: what `numpy.load` finds it by; no path.
  public mutating func append<Element: NumPyElement>(_ name: String, _ elements: [Element], shape: [Int]) throws {
    try append(name, shape: shape, pieces: CollectionOfOne(elements))
  }

  /// Adds an array that is made piece by piece.
  /// - Parameters:
  ///   - name: what `numpy.load` finds it by; no path.
  ///   - pieces: its numbers in row-major order, in pieces of any size.
  public mutating func append<Element: NumPyElement>(
    _ name: String, shape: [Int], pieces: some Sequence<[Element]>
  ) throws {
    let name = name + NumPyArchive.suffix
    precondition(!entries.contains { $0.name == name }, "an archive has one array named \(name)")
    precondition(!name.contains { "/\\".contains($0) }, "an array's name is no path, unlike \(name)")
    let header = NumPyHeader(type: Element.numPyType, shape: shape).bytes
    let count = shape.reduce(1, *)
    let size = header.count + count * MemoryLayout<Element>.stride
    var entry = ZIPEntry(name: name, crc: CyclicRedundancyCheck.crc32(header), size: size, offset: offset)
    let local = entry.local
    try file.append(local + header)
    var written = 0
    for piece in pieces {
      let bytes = unsafe piece.withUnsafeBytes { unsafe Array($0) }
      entry.crc = CyclicRedundancyCheck.crc32(bytes, after: entry.crc)
      try file.append(bytes)
      written += piece.count
    }
    precondition(written == count, "an array of shape \(shape) has \(count) numbers, not \(written)")
    try file.overwrite(littleEndian(entry.crc), at: offset + ZIPEntry.crcPlace)
    entries.append(entry)
    offset += local.count + size
  }

  public consuming func commit() throws {
    let directory = entries.flatMap(\.central)
    try file.append(directory + ZIPEnd(count: entries.count, size: directory.count, offset: offset).bytes)
    try file.commit()
  }
}
