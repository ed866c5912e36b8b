import pixelrl

/// `pixelrl` with an environment, an agent and an autoencoder of this package.
@main
struct Lab {
  static func main() {
    PixelRL.main(adding: .environment(Corridor.self), .agent(DQN.self), .autoencoder(LinearAutoencoder.self))
  }
}
