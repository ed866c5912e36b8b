import Contracts
import Testing

@testable import Lab

@Test(arguments: EnvironmentRequirement.allCases)
func corridor(meets requirement: EnvironmentRequirement) throws { try requirement.check(Corridor.self) }

@Test(arguments: AgentRequirement.allCases)
func dqn(meets requirement: AgentRequirement) throws { try requirement.check(DQN.self) }

@Test(arguments: AutoencoderRequirement.allCases)
func linearAutoencoder(meets requirement: AutoencoderRequirement) throws {
  try requirement.check(LinearAutoencoder.self)
}
