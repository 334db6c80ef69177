// extensionType: 'microsoft.flux' is what runs Flux
resource flux 'Microsoft.KubernetesConfiguration/extensions@2023-05-01' = {
  name: 'flux'
  scope: cluster
  properties: {
    extensionType: 'Microsoft.Flux'
  }
}
