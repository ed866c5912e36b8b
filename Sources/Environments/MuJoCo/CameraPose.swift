#if MuJoCo
  import CMuJoCo
  import Pixels

  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  /// The pose of a camera in world coordinates.
  struct CameraPose {
    var position: SIMD3<Double>
    /// `forward` and `up` are orthogonal unit vectors.
    var forward: SIMD3<Double>
    var up: SIMD3<Double>

    /// Moves around the point at a distance on its axis, as the Distracting Control Suite does: aside around the
    /// vertical, then up, then it rolls. It stays above the height of that point if it was.
    mutating func change(by change: CameraChange, distance: Double) {
      let focus = position + forward * distance
      let (sine, cosine) = (sin(change.aside), cos(change.aside))
      func aroundVertical(_ v: SIMD3<Double>) -> SIMD3<Double> {
        SIMD3(v.x * cosine - v.y * sine, v.x * sine + v.y * cosine, v.z)
      }
      (forward, up) = (aroundVertical(forward), aroundVertical(up))
      let elevation = asin(min(max(-forward.z, -1), 1))
      let rise = max(change.up, min(0, -elevation))
      (forward, up) = (forward * cos(rise) - up * sin(rise), up * cos(rise) + forward * sin(rise))
      position = focus - forward * (distance * change.distance)
      up = up * cos(change.roll) + right * sin(change.roll)
    }

    var right: SIMD3<Double> {
      SIMD3(
        forward.y * up.z - forward.z * up.y, forward.z * up.x - forward.x * up.z, forward.x * up.y - forward.y * up.x)
    }
  }

  extension Simulation {
    /// Applies a distraction's change of the camera around the moving bodies' centre of mass.
    func move(_ pose: inout CameraPose, _ distraction: Distraction?) {
      guard let change = distraction?.camera else { return }
      let center = unsafe SIMD3(data.pointee.subtree_com[0], data.pointee.subtree_com[1], data.pointee.subtree_com[2])
      pose.change(by: change, distance: max(length(center - pose.position), 0.1))
    }
  }
#endif
