import Core

/// A `.npz` file as written by `numpy.savez` or `numpy.savez_compressed`: a ZIP archive of `.npy` files.
public struct NumPyArchive: Sendable {
  private let file: MappedFile
  private let members: [ZIPDirectory.Member]

  /// Opens an archive and checks its directory. Arrays are read on demand.
  ///
  /// - Throws: `WorldError` with the path if the file is not a complete archive of `.npy` files.
  public init(path: String) throws {
    file = try MappedFile(path: path)
    do { members = try file.withBytes { try ZIPDirectory(of: $0).members } } catch let error as InputError {
      throw WorldError(path: path, error.description)
    }
    if let foreign = members.first(where: { !$0.entry.name.hasSuffix(Self.suffix) }) {
      throw WorldError(path: path, "contains \(foreign.entry.name), which is not a .npy file")
    }
  }

  static let suffix = ".npy"

  /// The names of the arrays, in file order.
  public var names: [String] { members.map { String($0.entry.name.dropLast(Self.suffix.count)) } }

  /// Reads an array.
  ///
  /// - Returns: a copy of the elements in row-major order, and the shape.
  /// - Throws: `WorldError` with the path if the array is missing, damaged or of another type.
  public func array<Element: NumPyElement>(_ name: String, of type: Element.Type = Element.self) throws
    -> (elements: [Element], shape: [Int])
  {
    try read(name) { try Self.array(in: $0) }
  }

  /// Reads the type and the shape of an array.
  ///
  /// - Throws: `WorldError` with the path if the array is missing or its header is damaged.
  public func header(of name: String) throws -> NumPyHeader {
    try read(name, limit: 1 << 16) { try NumPyHeader.parse($0, isWhole: false).header }
  }

  /// Calls `body` with the bytes of a `.npy` file.
  ///
  /// - Parameter limit: the number of bytes that are needed at least, without a check of the rest; nil for all.
  func read<Result>(_ name: String, limit: Int? = nil, _ body: (RawSpan) throws -> Result) throws -> Result {
    guard let member = members.first(where: { $0.entry.name == name + Self.suffix }) else {
      throw WorldError(path: file.path, "has no array '\(name)': it has \(names.joined(separator: ", "))")
    }
    do {
      return try file.withBytes { try Self.withContent(of: member, in: $0, limit: limit, body) }
    } catch let error as InputError {
      throw WorldError(path: file.path, "\(member.entry.name) \(error)")
    }
  }

  static func withContent<Result>(
    of member: ZIPDirectory.Member, in archive: RawSpan, limit: Int? = nil, _ body: (RawSpan) throws -> Result
  ) throws -> Result {
    func checked(_ bytes: RawSpan) throws -> Result {
      guard limit != nil || CyclicRedundancyCheck.crc32(bytes) == member.entry.crc else {
        throw InputError("is damaged: its checksum does not match")
      }
      return try body(bytes)
    }
    let data = archive.extracting(member.range)
    guard let size = member.entry.contentSize else { return try checked(data) }
    let content = try inflated(data, size: size, limit: limit)
    return try checked(unsafe content.span.bytes)
  }

  /// Reads a `.npy` file.
  static func array<Element: NumPyElement>(in bytes: RawSpan) throws -> (elements: [Element], shape: [Int]) {
    let (header, offset) = try NumPyHeader.parse(bytes)
    guard header.type == Element.numPyType else {
      throw InputError("has element type \(header.type.rawValue), expected \(Element.numPyType.rawValue)")
    }
    let count = (bytes.byteCount - offset) / header.type.size
    let elements = unsafe [Element](unsafeUninitializedCapacity: count) { target, initialized in
      let data = bytes.extracting(offset..<bytes.byteCount)
      unsafe data.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(target).copyMemory(from: $0) }
      initialized = count
    }
    return (elements, header.shape)
  }
}

/// Writes a `.npz` file array by array; arrays may be of any size. `commit` creates the file; without it nothing is
/// written. The output is deterministic.
public struct NumPyArchiveWriter: ~Copyable {
  private var file: AtomicFile
  private var offset = 0
  private var entries: [ZIPEntry] = []

  /// Creates a writer.
  ///
  /// - Throws: `WorldError` with the path and the system's reason, like all other methods.
  public init(path: String) throws { file = try AtomicFile(path: path) }

  /// Adds an array.
  ///
  /// - Parameter name: the key for `numpy.load`. It must not be a path.
  public mutating func append<Element: NumPyElement>(_ name: String, _ elements: [Element], shape: [Int]) throws {
    try append(name, shape: shape, pieces: CollectionOfOne(elements))
  }

  /// Adds an array in pieces.
  ///
  /// - Parameters:
  ///   - name: the key for `numpy.load`. It must not be a path.
  ///   - pieces: the elements in row-major order, in pieces of any size.
  public mutating func append<Element: NumPyElement>(
    _ name: String, shape: [Int], pieces: some Sequence<[Element]>
  ) throws {
    let name = name + NumPyArchive.suffix
    precondition(!entries.contains { $0.name == name }, "the archive already has an array named \(name)")
    precondition(!name.contains { "/\\".contains($0) }, "the name of an array must not be a path: \(name)")
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
    precondition(written == count, "an array of shape \(shape) has \(count) elements, not \(written)")
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
