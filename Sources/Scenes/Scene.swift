import Pixels

/// A scene: a camera, lights and parts. Lengths are in metres.
///
/// The lighting model is that of OpenGL's fixed-function pipeline, as used by MuJoCo's renderer: ambient, diffuse and
/// specular light (Blinn and Phong), hard shadows, multiplied textures, and one reflective face.
public struct Scene: Sendable {
  public var camera: Camera
  public var lights: [Light] = []
  public var parts: [Part] = []
  /// The sky as a cube texture; nil for black.
  public var sky: Texture?
  /// A pattern in front of the sky and of the fixed planes, such as the floor; nil for none.
  public var background: MovingBackground?
  /// A hint that the camera, the lights and the fixed parts will not change, so that the renderer caches them. The
  /// renderer checks the cache, so a wrong hint only costs time.
  public var isStill = false

  public init(camera: Camera) { self.camera = camera }
}

/// The position, orientation and field of view of a camera.
public struct Camera: Sendable, Hashable {
  public var position: SIMD3<Float>
  /// `forward` and `up` are orthogonal unit vectors.
  public var forward: SIMD3<Float>
  public var up: SIMD3<Float>
  /// The tangent of half the vertical field of view.
  public var slope: Float
  /// The distance of the near clipping plane.
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

/// A light. Colours are red, green and blue from 0 to 1, and may be larger.
public struct Light: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    /// Parallel light along a direction.
    case directional
    /// A spotlight. The exponent determines how fast it fades with the angle to its direction, and `rim` is the cosine
    /// of the cutoff angle. The light is divided by a + b d + c d² at a distance d, with the attenuation (a, b, c).
    case spot(exponent: Float, rim: Float, attenuation: SIMD3<Float>)
  }

  public var kind: Kind
  public var position: SIMD3<Float>
  /// A unit vector.
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

/// An object in the scene: a shape, its pose and its surface.
public struct Part: Sendable, Equatable {
  public var shape: Shape
  public var position: SIMD3<Float>
  /// The shape's local axes in world coordinates: orthogonal unit vectors.
  public var axes: (x: SIMD3<Float>, y: SIMD3<Float>, z: SIMD3<Float>)
  public var surface: Surface
  /// Whether it does not move between pictures.
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

/// The material of a part. Values are from 0 to 1.
public struct Surface: Sendable, Equatable {
  public var color: SIMD3<Float>
  public var opacity: Float
  public var emission: Float
  public var specular: Float
  /// The specular exponent divided by 128, the largest in OpenGL.
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

/// The mapping from points of a shape to texture coordinates.
public enum TextureMapping: Sendable, Equatable {
  /// By the shape's local x and y in metres. The values are half repetitions per metre, and the texture coordinates at
  /// the shape's centre.
  case flat(SIMD2<Float>, center: SIMD2<Float> = SIMD2(-0.5, -0.5))
  /// By the direction from the centre, scaled per axis, for a cube texture.
  case cube(SIMD3<Float>)
  /// By the texture coordinates of a mesh.
  case own
}

func cross(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> SIMD3<Float> {
  SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}
func dot(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> Float { a.x * b.x + a.y * b.y + a.z * b.z }
func length(_ a: SIMD3<Float>) -> Float { dot(a, a).squareRoot() }
