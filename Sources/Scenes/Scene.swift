/// What there is to draw: a camera, lights, and parts that the lights shine on. Lengths are in metres.
///
/// The look is that of OpenGL's fixed pipeline, which MuJoCo's own pictures have: ambient, diffuse and specular light
/// (Blinn and Phong), hard shadows, textures that are multiplied, one mirroring face.
public struct Scene: Sendable {
  public var camera: Camera
  public var lights: [Light] = []
  public var parts: [Part] = []
  /// The six faces around all, as a cube texture; nil is black.
  public var sky: Texture?
  /// Whether the camera, the lights and the fixed parts stay as they are in pictures to come: a renderer then keeps what
  /// they look like. That is found out sooner or later anyway, so that a wrong answer costs time and nothing else.
  public var isStill = false

  public init(camera: Camera) { self.camera = camera }
}

/// Where one looks from, and how wide.
public struct Camera: Sendable, Hashable {
  public var position: SIMD3<Float>
  /// Of length 1, at right angles.
  public var forward: SIMD3<Float>
  public var up: SIMD3<Float>
  /// Half the view's height at distance 1: the tangent of half its angle.
  public var slope: Float
  /// Nothing nearer is seen.
  public var nearest: Float

  public init(
    position: SIMD3<Float>, forward: SIMD3<Float>, up: SIMD3<Float>, slope: Float, nearest: Float = 0.01
  ) {
    self.position = position
    self.forward = forward
    self.up = up
    self.slope = slope
    self.nearest = nearest
  }

  var right: SIMD3<Float> { cross(forward, up) }
}

/// A lamp. Colours are red, green, blue from 0 to 1 and may be larger.
public struct Light: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    /// From everywhere along a direction.
    case directional
    /// From a place, within an angle around a direction: the exponent says how fast it fades towards the rim, the cosine
    /// where it ends, and the attenuation divides by a + b d + c d² at a distance d.
    case spot(exponent: Float, rim: Float, attenuation: SIMD3<Float>)
  }

  public var kind: Kind
  public var position: SIMD3<Float>
  /// Of length 1.
  public var direction: SIMD3<Float>
  public var ambient: SIMD3<Float>
  public var diffuse: SIMD3<Float>
  public var specular: SIMD3<Float>
  public var castsShadow: Bool

  public init(
    _ kind: Kind, position: SIMD3<Float>, direction: SIMD3<Float>, ambient: SIMD3<Float>, diffuse: SIMD3<Float>,
    specular: SIMD3<Float>, castsShadow: Bool
  ) {
    self.kind = kind
    self.position = position
    self.direction = direction
    self.ambient = ambient
    self.diffuse = diffuse
    self.specular = specular
    self.castsShadow = castsShadow
  }
}

/// A body in the scene: a shape, a place and a surface.
public struct Part: Sendable, Equatable {
  public var shape: Shape
  public var position: SIMD3<Float>
  /// Where the shape's own axes point in the world: of length 1, at right angles.
  public var axes: (x: SIMD3<Float>, y: SIMD3<Float>, z: SIMD3<Float>)
  public var surface: Surface
  /// Whether it stays where it is from picture to picture.
  public var isFixed: Bool

  public init(
    _ shape: Shape, position: SIMD3<Float>, axes: (x: SIMD3<Float>, y: SIMD3<Float>, z: SIMD3<Float>),
    surface: Surface, isFixed: Bool = false
  ) {
    self.shape = shape
    self.position = position
    self.axes = axes
    self.surface = surface
    self.isFixed = isFixed
  }

  public static func == (a: Part, b: Part) -> Bool {
    a.isFixed == b.isFixed && a.position == b.position && a.axes == b.axes && a.shape == b.shape
      && a.surface == b.surface
  }
}

/// How a part answers to light. Numbers from 0 to 1.
public struct Surface: Sendable, Equatable {
  public var color: SIMD3<Float>
  public var opacity: Float
  public var emission: Float
  public var specular: Float
  /// In units of 128, the largest of OpenGL's exponents.
  public var shininess: Float
  public var reflectance: Float
  public var texture: Texture?
  public var mapping: TextureMapping

  public init(
    color: SIMD3<Float>, opacity: Float = 1, emission: Float = 0, specular: Float = 0.5, shininess: Float = 0.5,
    reflectance: Float = 0, texture: Texture? = nil, mapping: TextureMapping = .flat(SIMD2(1, 1))
  ) {
    self.color = color
    self.opacity = opacity
    self.emission = emission
    self.specular = specular
    self.shininess = shininess
    self.reflectance = reflectance
    self.texture = texture
    self.mapping = mapping
  }
}

/// How a point of a shape finds its place in a texture.
public enum TextureMapping: Sendable, Equatable {
  /// By the shape's own x and y in metres: that many half repetitions a metre.
  case flat(SIMD2<Float>)
  /// Outwards from the centre to a cube, each axis first multiplied.
  case cube(SIMD3<Float>)
  /// By the coordinates that a mesh brings along.
  case own
}

func cross(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> SIMD3<Float> {
  SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}
func dot(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> Float { a.x * b.x + a.y * b.y + a.z * b.z }
func length(_ a: SIMD3<Float>) -> Float { dot(a, a).squareRoot() }
