#if MuJoCo
  import Core

  /// A model as MuJoCo XML text, for tasks that remove parts of their model or add some.
  struct MJCF: Sendable {
    let file: String
    private(set) var text: String

    /// Reads a model of the suite and the files that it includes.
    init(_ file: String) throws {
      self.file = file
      text = try Self.expanded(file)
    }

    /// Creates a model from its whole text.
    init(text: String, named file: String) {
      self.file = file
      self.text = text
    }

    private static func expanded(_ file: String) throws -> String {
      var text = try SuiteFolder.text(of: file)
      while let start = text.firstRange(of: "<include file=\"") {
        guard let end = text[start.upperBound...].firstRange(of: "\"/>") else {
          throw WorldError(path: file, "an include element is not closed")
        }
        let included = try expanded(String(text[start.upperBound..<end.lowerBound]))
        // The content of <mujoco> ... </mujoco>.
        guard let open = included.firstRange(of: "<mujoco>"), let close = included.lastRange(of: "</mujoco>") else {
          throw WorldError(path: file, "an included file is not a model")
        }
        text.replaceSubrange(start.lowerBound..<end.upperBound, with: included[open.upperBound..<close.lowerBound])
      }
      return text
    }

    /// Removes an element and its content.
    /// - Throws: `WorldError` if there is none.
    mutating func remove(_ kind: String, named name: String) throws {
      guard let range = range(of: kind, named: name) else {
        throw WorldError(path: file, "has no \(kind) named '\(name)'")
      }
      text.removeSubrange(range)
    }

    /// Removes all elements of a kind that has no content.
    mutating func removeAll(_ kind: String) {
      while let start = text.firstRange(of: "<\(kind) "), let end = text[start.upperBound...].firstRange(of: "/>") {
        text.removeSubrange(start.lowerBound..<end.upperBound)
      }
    }

    /// Replaces the first occurrence of a text.
    /// - Throws: `WorldError` if the model does not contain it.
    mutating func replace(_ old: String, with new: String) throws {
      guard let range = text.firstRange(of: old) else { throw WorldError(path: file, "does not contain '\(old)'") }
      text.replaceSubrange(range, with: new)
    }

    /// Returns the range from an element's `<kind` to its end. Elements of the same kind can be nested.
    private func range(of kind: String, named name: String) -> Range<String.Index>? {
      var from = text.startIndex
      while let open = text[from...].firstRange(of: "<\(kind) ") {
        guard let close = text[open.upperBound...].firstRange(of: ">") else { return nil }
        let tag = text[open.lowerBound..<close.upperBound]
        if tag.contains("name=\"\(name)\"") {
          return tag.hasSuffix("/>")
            ? open.lowerBound..<close.upperBound : nested(kind, open.lowerBound, close.upperBound)
        }
        from = close.upperBound
      }
      return nil
    }

    private func nested(_ kind: String, _ start: String.Index, _ inside: String.Index) -> Range<String.Index>? {
      var depth = 1
      var at = inside
      while depth > 0 {
        guard let close = text[at...].firstRange(of: "</\(kind)>") else { return nil }
        if let open = text[at..<close.lowerBound].firstRange(of: "<\(kind) ") {
          guard let end = text[open.upperBound...].firstRange(of: ">") else { return nil }
          if !text[open.lowerBound..<end.upperBound].hasSuffix("/>") { depth += 1 }
          at = end.upperBound
        } else {
          depth -= 1
          at = close.upperBound
        }
      }
      return start..<at
    }
  }

  extension StringProtocol {
    fileprivate func firstRange(of text: String) -> Range<Index>? { ranges(of: text).first }
    fileprivate func lastRange(of text: String) -> Range<Index>? { ranges(of: text).last }
  }
#endif
