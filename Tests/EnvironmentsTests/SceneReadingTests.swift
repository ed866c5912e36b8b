#if MuJoCo
  import CMuJoCo
  import Pixels
  import Testing

  @testable import Environments

  private let hasModels = (try? SuiteFolder.text(of: "reacher.xml")) != nil

  /// Compares meshes and height fields of a model with shapes that look the same. All materials are emissive, so that
  /// it does not matter how MuJoCo rounds a mesh's normals.
  @Suite(.enabled(if: hasModels, "needs models: make models"))
  struct SceneReadingTests {
    private func picture(
      _ geom: String, _ renderer: Renderer = .software, material: String = "glow", heights: [Float] = []
    ) throws -> PixelBuffer {
      let text = """
        <mujoco>
          <visual><headlight active="0"/></visual>
          <asset>
            <material name="glow" rgba=".8 .5 .2 1" emission="1" specular="0"/>
            <mesh name="brick" vertex="-.3 -.2 -.1  .3 -.2 -.1  -.3 .2 -.1  .3 .2 -.1  -.3 -.2 .1  .3 -.2 .1  -.3 .2 .1  .3 .2 .1"/>
            <mesh name="roof" vertex="-.3 -.2 0  .3 -.2 0  -.3 .2 0  .3 .2 0  0 -.2 .3  0 .2 .3"/>
            <hfield name="land" nrow="5" ncol="4" size=".4 .3 .5 .1"/>
            <texture name="checker" type="2d" builtin="checker" rgb1="0 0 0" rgb2="1 1 1" width="64" height="64"/>
            <material name="checker" texture="checker" texrepeat="2 1.5" rgba=".8 .5 .2 1" emission="1" specular="0"/>
            <material name="tiles" texture="checker" texrepeat="4 5" texuniform="true" rgba=".8 .5 .2 1" emission="1" specular="0"/>
          </asset>
          <worldbody>
            <light pos="0 0 3" castshadow="false" diffuse="0 0 0" specular="0 0 0"/>
            <camera name="above" pos="0 -.6 2" xyaxes="1 0 0 0 .9578 .2873"/>
            <geom \(geom) material="\(material)"/>
            <body><joint name="root"/><geom size=".001" pos="0 0 -9"/></body>
          </worldbody>
        </mujoco>
        """
      let model = try SuiteModel(
        "reacher.xml", edit: { $0 = MJCF(text: text, named: "test.xml") },
        adjust: { simulation in
          for (index, height) in heights.enumerated() { unsafe simulation.model.pointee.hfield_data[index] = height }
        })
      var style = RenderStyle()
      style.renderer = renderer
      var frame = PixelBuffer(width: 64, height: 64)
      model.draw(model.start, camera: 0, style, into: &frame)
      return frame
    }

    /// Returns the number of pixels that differ between two pictures.
    private func difference(_ a: PixelBuffer, _ b: PixelBuffer) -> Int {
      (0..<64 * 64).count { pixel in
        (0..<3).contains { abs(Int(a.bytes[3 * pixel + $0]) - Int(b.bytes[3 * pixel + $0])) > 24 }
      }
    }

    private func lit(_ frame: PixelBuffer) -> Int { (0..<64 * 64).count { frame.bytes[3 * $0] > 100 } }

    @Test(arguments: ["", "pos='.3 .2 .4' euler='20 40 60'"])
    func aMeshOfABoxLooksLikeABox(pose: String) throws {
      let mesh = try picture("type='mesh' mesh='brick' \(pose)")
      let box = try picture("type='box' size='.3 .2 .1' \(pose)")
      #expect(lit(box) > 150)
      #expect(difference(mesh, box) <= 4, "\(difference(mesh, box)) pixels differ")
      #expect(try difference(mesh, picture("type='box' size='.3 .2 .2' \(pose)")) > 20)
    }

    @Test func aHeightFieldHasItsHeights() throws {
      let field = "type='hfield' hfield='land'"
      let high = try picture(field, heights: [Float](repeating: 0.8, count: 20))
      let box = try picture("type='box' size='.4 .3 .01' pos='0 0 .39'")
      #expect(lit(high) > 150)
      // From above, the top is visible and at most a line of the sides.
      #expect(difference(high, box) <= 40, "\(difference(high, box)) pixels differ")
      let low = try picture(field, heights: [Float](repeating: 0.1, count: 20))
      #expect(lit(low) < lit(high))
    }

    @Test(.enabled(if: (try? GLDriver.found.get()) != nil, "needs OpenGL: apt-get install libegl1 libgl1-mesa-dri"))
    func meshesAndHeightFieldsMatchMuJoCosRendering() throws {
      let heights: [Float] = (0..<5).flatMap { row -> [Float] in row == 2 ? [0.3, 0.5, 0.7, 0.9] : [0, 0.2, 0.4, 0.6] }
      for geom in ["type='mesh' mesh='roof' euler='30 0 20'", "type='hfield' hfield='land' pos='.1 .1 0'"] {
        let (ours, theirs) = (try picture(geom, heights: heights), try picture(geom, .gl, heights: heights))
        #expect(lit(theirs) > 150)
        #expect(difference(ours, theirs) < lit(theirs) / 8, "\(geom): \(difference(ours, theirs)) pixels differ")
      }
    }

    /// The pattern of a finite plane begins at its corner in MuJoCo 3, and at its centre before.
    @Test(
      .enabled(if: (try? GLDriver.found.get()) != nil, "needs OpenGL: apt-get install libegl1 libgl1-mesa-dri"),
      arguments: ["size='.4 .3 .1'", "size='.4 .3 .1' euler='0 0 30'", "size='.4 0 .1'", "size='0 0 .1'"],
      ["checker", "tiles"])
    func patternsOfPlanesMatchMuJoCosRendering(size: String, material: String) throws {
      let geom = "type='plane' \(size)"
      let (ours, theirs) = (try picture(geom, material: material), try picture(geom, .gl, material: material))
      #expect(lit(theirs) > 100)
      // Outlines differ. With the pattern at another place, half of the pixels would.
      #expect(difference(ours, theirs) < lit(theirs) / 4, "\(difference(ours, theirs)) of \(lit(theirs)) pixels differ")
    }
  }
#endif
